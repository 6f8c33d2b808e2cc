#include "core/dump/table_names.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TEST(CollectFingerprints, AddsUpPartsAndNamesTablesInUtf8) {
  DumpTable latin;
  latin.name = {"s", "ü"};
  latin.dump_name = {"s", "\xfc"};
  DumpTable plain;
  plain.name = plain.dump_name = {"s", "t"};
  const ArchiveNames names = MakeArchiveNames({latin, plain});
  EXPECT_EQ(names.size(), 1U);

  ManifestObject archive, part;
  archive.fingerprints = {{latin.dump_name, {1, 10, 20}}, {{"s", "t"}, {2, 1, 1}}};
  part.kind = ObjectKind::kCopy;
  part.fingerprints = {{latin.name, {4, 5, 6}}};
  const FingerprintList all = CollectFingerprints({archive, part}, names);
  EXPECT_EQ(all.size(), 2U);
  EXPECT_EQ(all.at(latin.name), (RowFingerprint{5, 15, 26}));
  EXPECT_EQ(all.at({"s", "t"}), (RowFingerprint{2, 1, 1}));
}

}  // namespace
}  // namespace pgbackup
