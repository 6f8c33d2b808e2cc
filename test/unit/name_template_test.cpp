#include "shared/naming/name_template.h"

#include <gtest/gtest.h>

#include <cstring>
#include <ctime>
#include <limits>
#include <string>

#include "zone_test_support.h"

namespace pgbackup {
namespace {

using namespace std::string_view_literals;

size_t FormatUtc(char* out, size_t size, const char* pattern, const void* context) noexcept {
  tm utc = {};
  gmtime_r(static_cast<const time_t*>(context), &utc);
  return strftime(out, size, pattern, &utc);
}

constexpr time_t kTime = 1767105026;  // 2025-12-30 14:30:26 UTC

struct Expanded {
  std::string name;
  std::string error;
};

Expanded Expand(std::string_view text, const NameFields& fields) {
  char out[kMaxNameLength + 1];
  const char* error = nullptr;
  const size_t length = ExpandName(text, fields, TimeFormatter{FormatUtc, &kTime}, out, &error);
  EXPECT_EQ(length, std::strlen(out));
  return {std::string(out, length), error == nullptr ? "" : error};
}

NameFields Shop() {
  NameFields fields;
  fields.cluster = "main";
  fields.instance = "0a1b2c3d";
  fields.environment = "production";
  fields.database = "shop";
  fields.schedule = "nightly";
  fields.label = "before-upgrade";
  fields.type = "scheduled";
  fields.id = 42;
  return fields;
}

std::string NameOf(std::string_view text, const NameFields& fields) {
  const Expanded result = Expand(text, fields);
  EXPECT_EQ(result.error, "") << text;
  return result.name;
}

std::string NameForDatabase(std::string_view text, std::string_view database) {
  NameFields fields = Shop();
  fields.database = database;
  return NameOf(text, fields);
}

std::string ComplaintOf(std::string_view text) {
  const char* error = nullptr;
  return CheckNameTemplate(text, &error) ? "" : error;
}

TEST(NameTemplate, TheDefaultNamesClusterDatabaseTimeAndRun) {
  EXPECT_EQ(NameOf(kDefaultNameTemplate, Shop()),
            "main-0a1b2c3d/shop/backup_shop_2025-12-30_14-30-26_42");
}

TEST(NameTemplate, ExpandsTheNamingSchemesPeopleUse) {
  EXPECT_EQ(NameOf("backup-{time:%Y-%m-%d-%H%M%S}", Shop()), "backup-2025-12-30-143026");
  EXPECT_EQ(NameForDatabase("backup_{database}_{time:%Y-%m-%d_%H-%M-%S}", "my_db"),
            "backup_my_db_2025-12-30_14-30-26");
  EXPECT_EQ(NameOf("{environment}/{database}/{time:%Y}/{time:%m}/{time:%d}/{id}", Shop()),
            "production/shop/2025/12/30/42");
  EXPECT_EQ(NameOf("{type}-{schedule}-{label}-{time:%s}", Shop()),
            "scheduled-nightly-before-upgrade-1767105026");
  EXPECT_EQ(NameOf("{{{database}}}-{id}", Shop()), "{shop}-42");
  EXPECT_EQ(NameOf("Sicherung für {database} {id}", Shop()), "Sicherung für shop 42");
}

// The name of a run of database `database` at a time given in UTC, as the zone's clock shows it.
std::string NameAt(std::string_view text, const char* utc, const char* zone_name,
                   std::string_view database) {
  const Zone zone(zone_name);
  const time_t time = Utc(utc);
  const TimeFormatter local = {
      [](char* out, size_t size, const char* pattern, const void* context) noexcept {
        tm broken_down = {};
        localtime_r(static_cast<const time_t*>(context), &broken_down);
        return strftime(out, size, pattern, &broken_down);
      },
      &time};
  NameFields fields = Shop();
  fields.schedule = "daily";
  fields.database = database;
  char out[kMaxNameLength + 1];
  const char* error = nullptr;
  const size_t length = ExpandName(text, fields, local, out, &error);
  EXPECT_EQ(error, nullptr) << error;
  return {out, length};
}

TEST(NameTemplate, ReproducesTheNamesOfOtherTools) {
  EXPECT_EQ(NameAt("backup-{time:%Y-%m-%d-%H%M%S}", "2025-12-30 14:30:26", "UTC", "shop"),
            "backup-2025-12-30-143026");
  EXPECT_EQ(NameAt("backup_{database}_{time:%Y-%m-%d_%H-%M-%S}", "2024-01-15 13:30:25",
                   "Europe/Berlin", "my_db"),
            "backup_my_db_2024-01-15_14-30-25");
  EXPECT_EQ(NameAt("{database}-{environment}-on-{time:%Y-%m-%d}-at-{time:%I-%M-%S-%p-%Z}",
                   "2025-01-15 09:00:23", "Asia/Kolkata", "pharmatracker"),
            "pharmatracker-production-on-2025-01-15-at-02-30-23-PM-IST");
  EXPECT_EQ(NameAt("backup-{time:%Y-%m-%dT%H-%M-%S}-000Z-{schedule}", "2024-01-15 02:00:00", "UTC",
                   "shop"),
            "backup-2024-01-15T02-00-00-000Z-daily");
}

TEST(NameTemplate, DropsPartsOfEmptyFieldsTogetherWithTheirSlash) {
  NameFields fields = Shop();
  fields.environment = fields.cluster = fields.label = "";
  EXPECT_EQ(NameOf("{environment}/{database}/{id}", fields), "shop/42");
  EXPECT_EQ(NameOf("{database}/{environment}{cluster}/{id}", fields), "shop/42");
  EXPECT_EQ(NameOf("{database}/{id}/{label}", fields), "shop/42");
  EXPECT_EQ(NameOf("{cluster}/{environment}/{id}/{label}/{cluster}", fields), "42");
  EXPECT_EQ(NameOf("x{environment}/{id}", fields), "x/42");
}

TEST(NameTemplate, AValueNeverAddsOrLeavesAFolder) {
  const char* text = "{database}/{id}";
  EXPECT_EQ(NameForDatabase(text, "../.."), "%2E.%2F../42");
  EXPECT_EQ(NameForDatabase(text, "."), "%2E/42");
  EXPECT_EQ(NameForDatabase(text, ".."), "%2E./42");
  EXPECT_EQ(NameForDatabase(text, "/"), "%2F/42");
  EXPECT_EQ(NameForDatabase(text, "/etc/passwd"), "%2Fetc%2Fpasswd/42");
  EXPECT_EQ(NameForDatabase(text, ".hidden"), "%2Ehidden/42");
  EXPECT_EQ(NameForDatabase(text, "-rf"), "%2Drf/42");
  EXPECT_EQ(NameForDatabase(text, "a-b.c"), "a-b.c/42");
  EXPECT_EQ(NameForDatabase(text, "a\\b"), "a%5Cb/42");
}

TEST(NameTemplate, ADotFromAValueNeverJoinsADotOfTheTemplate) {
  EXPECT_EQ(NameOf("x/.{time:.}/{id}", Shop()), "x/.%2E/42");
  EXPECT_EQ(NameForDatabase("x/v.{database}/{id}", "."), "x/v../42");
  NameFields fields = Shop();
  fields.cluster = "";
  fields.database = "..";
  EXPECT_EQ(NameOf("{cluster}{database}/{id}", fields), "%2E./42");
}

TEST(NameTemplate, EncodesBytesThatConfuseToolsAndKeepsTheRestReadable) {
  const char* text = "{database}/{id}";
  EXPECT_EQ(NameForDatabase(text, "two\nlines"), "two%0Alines/42");
  EXPECT_EQ(NameForDatabase(text, "My DB"), "My%20DB/42");
  EXPECT_EQ(NameForDatabase(text, "a%2Fb"), "a%252Fb/42");
  EXPECT_EQ(NameForDatabase(text, "a=b&c?d#e:f"), "a%3Db%26c%3Fd%23e%3Af/42");
  EXPECT_EQ(NameForDatabase(text, "it's \"quoted\""), "it%27s%20%22quoted%22/42");
  EXPECT_EQ(NameForDatabase(text, "nul\0byte"sv), "nul%00byte/42");
  EXPECT_EQ(NameForDatabase(text, "\x7F"), "%7F/42");
  EXPECT_EQ(NameForDatabase(text, "größe"), "größe/42");
  EXPECT_EQ(NameForDatabase(text, "注文_db"), "注文_db/42");
  EXPECT_EQ(NameForDatabase(text, "🐘"), "🐘/42");
  EXPECT_EQ(NameForDatabase(text, "{id}"), "%7Bid%7D/42");
}

TEST(NameTemplate, EncodesBytesThatAreNoUtf8) {
  const char* text = "{database}/{id}";
  EXPECT_EQ(NameForDatabase(text, "caf\xE9"), "caf%E9/42");                 // Latin-1
  EXPECT_EQ(NameForDatabase(text, "\xC3"), "%C3/42");                       // cut short
  EXPECT_EQ(NameForDatabase(text, "\xC0\xAE"), "%C0%AE/42");                // an overlong dot
  EXPECT_EQ(NameForDatabase(text, "\xE0\x80\xAF"), "%E0%80%AF/42");         // an overlong slash
  EXPECT_EQ(NameForDatabase(text, "\xED\xA0\x80"), "%ED%A0%80/42");         // a surrogate
  EXPECT_EQ(NameForDatabase(text, "\xF4\x90\x80\x80"), "%F4%90%80%80/42");  // above U+10FFFF
  EXPECT_EQ(NameForDatabase(text, "\x80x"), "%80x/42");
}

TEST(NameTemplate, DifferentDatabasesHaveDifferentNames) {
  const char* names[] = {"a/b", "a%2Fb", "a%2fb",   "a_b",  "A/B", ".",    "%2E",  "..",    "",
                         "-",   "%2D",   "caf\xE9", "café", "a b", "a\nb", "a\\b", "a%25b", "a%%b"};
  for (const char* one : names)
    for (const char* other : names) {
      if (one == other) continue;
      EXPECT_NE(NameForDatabase("{database}/{id}", one), NameForDatabase("{database}/{id}", other))
          << one << " and " << other;
    }
}

TEST(NameTemplate, TheLongestDatabaseNameFitsThePartOfTheDefault) {
  std::string non_ascii;
  for (int i = 0; i < 21; ++i) non_ascii += "注";
  ASSERT_EQ(non_ascii.size(), 63U);
  EXPECT_EQ(NameForDatabase(kDefaultNameTemplate, non_ascii),
            "main-0a1b2c3d/" + non_ascii + "/backup_" + non_ascii + "_2025-12-30_14-30-26_42");
  NameFields fields = Shop();
  const std::string hostile(63, '/');
  fields.database = hostile;
  fields.id = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(NameOf(kDefaultNameTemplate, fields).substr(0, 23), "main-0a1b2c3d/%2F%2F%2F");
}

TEST(NameTemplate, WhatATimePrintsIsAValueToo) {
  EXPECT_EQ(NameOf("{time:%T}", Shop()), "14%3A30%3A26");
  EXPECT_EQ(NameOf("{time:%D}", Shop()), "12%2F30%2F25");
  EXPECT_EQ(NameOf("{time:.%d}", Shop()), "%2E30");
  EXPECT_EQ(NameOf("{time:%d%%}", Shop()), "30%25");
}

TEST(NameTemplate, RefusesANameThatIsTooLong) {
  NameFields fields = Shop();
  std::string label(kMaxNamePartLength, 'x');
  fields.label = label;
  EXPECT_EQ(NameOf("{label}/{id}", fields), label + "/42");
  label += 'x';
  fields.label = label;
  EXPECT_EQ(Expand("{label}/{id}", fields).error, "A part of the name is longer than 255 bytes.");
  label.resize(100);
  fields.label = label;
  std::string text = "{id}";
  for (int i = 0; i < 9; ++i) text += "/{label}";
  EXPECT_EQ(Expand(text, fields).error, "The name is longer than 900 bytes.");
  EXPECT_EQ(Expand(text, fields).name, "");
  label.resize(98);
  fields.label = label;
  EXPECT_EQ(NameOf(text, fields).size(), 2U + 9 * 99);
}

TEST(NameTemplate, ReportsATimeThatDoesNotFit) {
  const TimeFormatter nothing = {
      [](char*, size_t, const char*, const void*) noexcept { return size_t{0}; }, nullptr};
  char out[kMaxNameLength + 1];
  const char* error = nullptr;
  EXPECT_EQ(ExpandName("{time:%Y}", Shop(), nothing, out, &error), 0U);
  EXPECT_STREQ(error, "The time of the run cannot be formatted by {time:PATTERN}.");
}

TEST(NameTemplate, NamesWithInstanceAndIdAreUnique) {
  EXPECT_TRUE(NamesAreUnique(kDefaultNameTemplate));
  EXPECT_TRUE(NamesAreUnique("{instance}/{id}"));
  for (const std::string_view text :
       {"{id}"sv, "{instance}/{time:%F}"sv, "{{instance}}/{id}"sv, "{instance}/{id"sv, ""sv})
    EXPECT_FALSE(NamesAreUnique(text)) << text;
}

TEST(NameTemplateCheck, AcceptsWhatExpands) {
  for (const std::string_view text :
       {kDefaultNameTemplate, "{id}"sv, "{time:%Y}"sv, ".pgbackup/{id}"sv, "...{label}/{id}"sv,
        "{label}/{id}"sv, ".{id}"sv, "a{{b}}/{id}"sv, "%2F/{id}"sv, "a b/{id}"sv})
    EXPECT_EQ(ComplaintOf(text), "") << text;
}

TEST(NameTemplateCheck, SaysWhatIsWrong) {
  struct Case {
    std::string_view text;
    const char* error;  // a part of it
  };
  const std::string long_part(256, 'x');
  const std::string part_too_long = long_part + "/{id}";
  std::string too_long = "{id}";
  while (too_long.size() <= kMaxNameLength) too_long += "/part";
  const std::string long_pattern = "{time:%Y" + std::string(200, '-') + "}";
  const Case cases[] = {
      {"", "is empty"},
      {"/{id}", "starts with a slash"},
      {"//{id}", "starts with a slash"},
      {"a//{id}", "empty part"},
      {"{id}/", "empty part"},
      {"./{id}", "\".\" or \"..\""},
      {"../{id}", "\".\" or \"..\""},
      {"{id}/..", "\".\" or \"..\""},
      {"a/../{id}", "\".\" or \"..\""},
      {"a/.{label}/{id}", "\".\" or \"..\""},
      {"a/.{label}./{id}", "\".\" or \"..\""},
      {"{host}/{id}", "unknown placeholder"},
      {"{}/{id}", "unknown placeholder"},
      {"{ID}", "unknown placeholder"},
      {"{ id }", "unknown placeholder"},
      {"{time}", "unknown placeholder"},
      {"{id", "never closed"},
      {"{id}{", "never closed"},
      {"{time:%Y_{id}", "never closed"},
      {"id}", "never opened"},
      {"{id}}", "never opened"},
      {"{time:}", "no strftime pattern"},
      {"{time:%}", "no strftime pattern"},
      {"{time:%Y%Q}", "no strftime pattern"},
      {"{time:%-d}", "no strftime pattern"},
      {long_pattern, "too long"},
      {"{time:%Y/%m/%d}", "contains a slash"},
      {"backups/{database}", "would collide"},
      {"a\nb/{id}", "control character"},
      {"a\\b/{id}", "backslash"},
      {"a\x7F/{id}", "control character"},
      {"a\0b/{id}"sv, "control character"},
      {"caf\xE9/{id}", "not UTF-8"},
      {part_too_long, "longer than 255"},
      {too_long, "longer than 900"},
  };
  for (const Case& c : cases) {
    EXPECT_NE(ComplaintOf(c.text).find(c.error), std::string::npos)
        << c.text << ": '" << ComplaintOf(c.text) << "'";
    EXPECT_EQ(Expand(c.text, Shop()).error, ComplaintOf(c.text)) << c.text;
    EXPECT_EQ(Expand(c.text, Shop()).name, "") << c.text;
  }
}

}  // namespace
}  // namespace pgbackup
