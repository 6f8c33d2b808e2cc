#include "core/restore/preflight/settings_check.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

using Files = std::vector<std::string>;

TEST(LibraryFiles, OfASessionAreLookedForInThePathOfLibraries) {
  EXPECT_EQ(LibraryFiles("x", false, "$libdir:/opt/pg", "/lib/pg"),
            (Files{"/lib/pg/x", "/opt/pg/x", "/lib/pg/x.so", "/opt/pg/x.so"}));
  EXPECT_EQ(LibraryFiles("$libdir/x", false, "/opt/pg", "/lib/pg"),
            (Files{"/lib/pg/x", "/lib/pg/x.so"}));
  EXPECT_EQ(LibraryFiles("/a/x.so", false, "/opt/pg", "/lib/pg"), (Files{"/a/x.so", "/a/x.so.so"}));
}

TEST(LibraryFiles, ThatAnyRoleMayLoadAreInAFolderOfTheirOwn) {
  const Files plugin = {"/lib/pg/plugins/x", "/lib/pg/plugins/x.so"};
  EXPECT_EQ(LibraryFiles("x", true, "$libdir", "/lib/pg"), plugin);
  EXPECT_EQ(LibraryFiles("$libdir/plugins/x", true, "$libdir", "/lib/pg"), plugin);
  EXPECT_EQ(LibraryFiles("/tmp/x", true, "$libdir", "/lib/pg"), Files{});
  EXPECT_EQ(LibraryFiles("$libdir/plugins/../x", true, "$libdir", "/lib/pg"), Files{});
}

TEST(RefusedSettings, AreLeftOutAndToldAsStatements) {
  DatabaseProperties properties;
  properties.settings = {{"", "a.b", "1"}, {"r", "a.b", "2"}, {"", "timezone", "Moon"}};
  const std::vector<RefusedSetting> refused = {{{"r", "a.b", "2"}, "no"},
                                               {{"", "timezone", "Moon"}, "never"}};
  EXPECT_EQ(RefusedSettingsInWords(refused, "d\"b"),
            "settings of the database are left out, because the server refuses them: "
            "ALTER ROLE \"r\" IN DATABASE \"d\"\"b\" SET \"a\".\"b\" TO '2' (no), "
            "ALTER DATABASE \"d\"\"b\" SET \"timezone\" TO 'Moon' (never)");
  LeaveOut(refused, &properties);
  ASSERT_EQ(properties.settings.size(), 1U);
  EXPECT_EQ(properties.settings[0].value, "1");
  EXPECT_EQ(RefusedSettingsInWords({}, "d"), "");
}

}  // namespace
}  // namespace pgbackup
