#include "core/manifest/manifest.h"

#include "core/base/sha256.h"
#include "core/manifest/manifest_store.h"
#include "pipeline_test_support.h"
#include "text_test_support.h"

namespace pgbackup {
namespace {

Manifest SomeManifest() {
  Manifest manifest;
  manifest.id = 42;
  manifest.file_name = "c/db/b42";
  manifest.database = "My \"db\"";
  manifest.label = "before the upgrade";
  manifest.backup_type = "manual";
  manifest.created_by = "me";
  manifest.created_at = "2025-01-02T03:04:05Z";
  manifest.started_at = "2025-01-02T03:04:06.000001Z";
  manifest.finished_at = "2025-01-02T03:05:00Z";
  manifest.format = DumpFormat::kParallel;
  manifest.compression = "zstd:3";
  manifest.selection.schemas = {"a", "b c"};
  manifest.cluster = {"main",  "prod", "7300000000000000001",
                      "15.20", 150020, {"7300000000000000001", "token", "place", 3}};
  manifest.properties.name = "My \"db\"";
  manifest.properties.oid = 4294967295;
  manifest.properties.owner = "owner";
  manifest.properties.encoding = "UTF8";
  manifest.properties.locale_provider = "icu";
  manifest.properties.collate = "C";
  manifest.properties.ctype = "C";
  manifest.properties.locale = "de-AT";
  manifest.properties.connection_limit = 7;
  manifest.properties.tablespace = "pg_default";
  manifest.properties.has_acl = true;
  manifest.properties.acl = {{"", "CONNECT", false}, {"r", "CREATE", true}};
  manifest.properties.settings = {{"", "search_path", "\"$user\", public"}, {"r", "a.b", "c"}};
  manifest.requirements =
      Requirements{{"owner", "r"},
                   {{"hstore", "1.8", "public", {{"ext", "Its \"own\""}, {"public", "t"}}}},
                   {"fast"}};
  manifest.user_code = UserCode{{16384, 4294967295}, {16385}, {}, {16390, 16391}, {20000}};
  manifest.part_needs =
      PartNeeds{{{16400, {{2616, 16401}, {3079, 4294967295}}}, {16402, {{1255, 7}}}},
                {{16403, "ext", "TYPE hstore"}, {16403, "", "SCHEMA ext"}}};
  manifest.database_size = 5000000000;
  manifest.pg_dump_version = "15.20";
  manifest.pgbackup_version = "1.0.0";
  ManifestObject object;
  object.name = "schema.dump.zst";
  object.sections = {"pre-data", "post-data"};
  object.raw_size = 100;
  object.segments = {{"schema.dump.zst", 30, "aa"}, {"schema.dump.zst.part2", 12, "bb"}};
  manifest.objects.push_back(object);
  object.name = "data-001.dump.zst";
  object.sections = {"data"};
  object.tables = {{"a", "t"}, {"b c", "T \"1\""}};
  object.segments = {{"data-001.dump.zst", 7, "dd"}};
  manifest.objects.push_back(object);
  object.name = "data-002.sql.zst";
  object.kind = ObjectKind::kCopy;
  object.tables = {{"a", "big"}};
  object.copy = CopyRange{{"id", "x y"}, 10, 20};
  object.segments = {{"data-002.sql.zst", 6, "ee"}};
  manifest.objects.push_back(object);
  object.tables.clear();
  object.copy.reset();
  object.name = "globals.sql.zst";
  object.kind = ObjectKind::kGlobals;
  object.sections = {};
  object.segments = {{"globals.sql.zst", 5, "cc"}};
  manifest.objects.push_back(object);
  return manifest;
}

std::string Text(const Manifest& manifest) {
  return boost::json::serialize(ManifestToJson(manifest));
}

TEST(Manifest, SurvivesARoundTrip) {
  const std::string text = Text(SomeManifest());
  const Manifest read = ParseManifest(text);
  EXPECT_EQ(Text(read), text);
  EXPECT_EQ(read.label, "before the upgrade");
  EXPECT_EQ(read.schedule, std::nullopt);
  EXPECT_EQ(read.properties.settings[1].role, "r");
  EXPECT_EQ(read.requirements, SomeManifest().requirements);
  EXPECT_EQ(read.user_code, SomeManifest().user_code);
  EXPECT_EQ(read.part_needs, SomeManifest().part_needs);
  EXPECT_EQ(read.objects[0].segments[1].name, "schema.dump.zst.part2");
  EXPECT_TRUE(read.objects[0].tables.empty());
  EXPECT_EQ(read.objects[1].tables[1], (QualifiedName{"b c", "T \"1\""}));
  EXPECT_EQ(read.objects[2].kind, ObjectKind::kCopy);
  EXPECT_EQ(read.objects[2].copy, (CopyRange{{"id", "x y"}, 10, 20}));
  EXPECT_EQ(read.RawSize(), 400u);
  EXPECT_EQ(read.StoredSize(), 60u);
}

TEST(Manifest, NamesTheDatabaseByItsOid) {
  Manifest manifest = SomeManifest();
  EXPECT_EQ(ParseManifest(Text(manifest)).properties.oid, 4294967295);
  manifest.encryption = {"age-x25519", {"age1"}};
  EXPECT_FALSE(ManifestForStorage(manifest)["database"].as_object().contains("oid"));
  for (const char* oid : {"-1", "4294967296"})
    EXPECT_EQ(ErrorOf([&] {
                ParseManifest(Replaced(Text(SomeManifest()), "\"oid\":4294967295",
                                       std::string("\"oid\":") + oid));
              }).kind(),
              ErrorKind::kInvalid);
  EXPECT_EQ(ParseManifest(Replaced(Text(SomeManifest()), "\"oid\":4294967295,", "")).properties.oid,
            0);
}

TEST(Manifest, DefaultPrivilegesStayDifferentFromNone) {
  Manifest manifest = SomeManifest();
  manifest.properties.acl.clear();
  EXPECT_TRUE(ParseManifest(Text(manifest)).properties.has_acl);
  manifest.properties.has_acl = false;
  EXPECT_FALSE(ParseManifest(Text(manifest)).properties.has_acl);
}

TEST(Manifest, OfAnOlderVersionSaysNothingOfWhatTheServerMustHave) {
  Manifest manifest = SomeManifest();
  manifest.requirements.reset();
  EXPECT_EQ(ParseManifest(Text(manifest)).requirements, std::nullopt);
}

TEST(Manifest, OfAnOlderVersionDoesNotTellWhatPartsNeed) {
  Manifest manifest = SomeManifest();
  manifest.part_needs.reset();
  EXPECT_EQ(ParseManifest(Text(manifest)).part_needs, std::nullopt);
  for (const char* oid : {"-1", "\"1\"", "4294967296"})
    EXPECT_EQ(ErrorOf([&] {
                ParseManifest(
                    Replaced(Text(SomeManifest()), "\"oid\":16400", std::string("\"oid\":") + oid));
              }).kind(),
              ErrorKind::kInvalid);
}

TEST(Manifest, OfAnOlderVersionDoesNotTellWhatCallsCodeOfTheDatabase) {
  Manifest manifest = SomeManifest();
  manifest.user_code.reset();
  EXPECT_EQ(ParseManifest(Text(manifest)).user_code, std::nullopt);
  for (const char* oids : {"[-1,4294967295]", "[\"1\",4294967295]", "[16384,4294967296]", "1"})
    EXPECT_EQ(ErrorOf([&] {
                ParseManifest(Replaced(Text(SomeManifest()), "\"tables\":[16384,4294967295]",
                                       std::string("\"tables\":") + oids));
              }).kind(),
              ErrorKind::kInvalid)
        << oids;
}

TEST(Manifest, RefusesAVersionItDoesNotKnow) {
  const Error error = ErrorOf(
      [] { ParseManifest(Replaced(Text(SomeManifest()), "\"version\":1", "\"version\":2")); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_EQ(error.message(), "the manifest has version 2");
}

TEST(Manifest, IgnoresKeysItDoesNotKnow) {
  EXPECT_EQ(ParseManifest(Replaced(Text(SomeManifest()), "{", "{\"new\":[1],")).id, 42);
}

TEST(Manifest, RefusesWhatIsMissingOrOfAnotherTypeByName) {
  const std::string text = Text(SomeManifest());
  EXPECT_NE(ErrorOf([&] { ParseManifest(Replaced(text, "\"id\":42", "\"id\":\"42\"")); })
                .message()
                .find("backup.id"),
            std::string::npos);
  EXPECT_NE(ErrorOf([&] { ParseManifest(Replaced(text, "\"raw_size\":100", "\"x\":1")); })
                .message()
                .find("objects[0].raw_size"),
            std::string::npos);
  for (const char* garbage : {"", "[]", "{", "null", "{}"})
    EXPECT_EQ(ErrorOf([&] { ParseManifest(garbage); }).kind(), ErrorKind::kInvalid) << garbage;
}

TEST(Manifest, ARangeOfRowsMayReachToTheEndAndNamesItsTable) {
  const std::string text = Text(SomeManifest());
  EXPECT_EQ(ParseManifest(Replaced(text, "\"end_page\":20", "\"end_page\":null"))
                .objects[2]
                .copy->end_page,
            std::nullopt);
  const Error error = ErrorOf(
      [&] { ParseManifest(Replaced(text, "[{\"schema\":\"a\",\"name\":\"big\"}]", "[]")); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_NE(error.message().find("data-002.sql.zst"), std::string::npos);
}

TEST(Manifest, RefusesWhatWouldLeaveItsFolderOrBecomeSql) {
  const std::string text = Text(SomeManifest());
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"name\":\"globals.sql.zst\",\"size\"", "\"name\":\"../../x\",\"size\""},
           {"\"CONNECT\"", "\"CONNECT; DROP\""},
           {"\"icu\"", "\"icu X\""},
           {"\"kind\":\"globals\"", "\"kind\":\"other\""}})
    EXPECT_EQ(ErrorOf([&, f = from, t = to] { ParseManifest(Replaced(text, f, t)); }).kind(),
              ErrorKind::kInvalid)
        << to;
}

TEST(Manifest, RefusesNamesThatOverlapOrLeaveTheFolder) {
  const std::string text = Text(SomeManifest());
  const std::string second = "\"name\":\"data-001.dump.zst\"";
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {second, "\"name\":\"schema.dump.zst\""},
           {second, "\"name\":\"sub/data-001.dump.zst\""},
           {second, "\"name\":\"..\""},
           {second, "\"name\":\"manifest.json\""},
           {second, "\"name\":\"/etc/passwd\""},
           {second, "\"name\":\"data-001\\u0000.dump.zst\""},
           {second, "\"name\":\"data-001\\u001b.dump.zst\""},
           {"schema.dump.zst.part2", "schema.dump.zst"},
           {"schema.dump.zst.part2", "../schema.dump.zst"},
           {"\"file_name\":\"c/db/b42\"", "\"file_name\":\"../b42\""},
           {"\"file_name\":\"c/db/b42\"", "\"file_name\":\"/b42\""}})
    EXPECT_EQ(ErrorOf([&, f = from, t = to] { ParseManifest(Replaced(text, f, t)); }).kind(),
              ErrorKind::kInvalid)
        << to;
}

TEST(Manifest, RefusesSizesTimesAndTextsThatCannotBe) {
  const std::string text = Text(SomeManifest());
  const std::string long_text(2000, 'x');
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"raw_size\":100", "\"raw_size\":-1"},
           {"\"raw_size\":100", "\"raw_size\":1e300"},
           {"\"raw_size\":100", "\"raw_size\":9223372036854775807"},
           {"\"raw_size\":100", "\"raw_size\":18446744073709551615"},
           {"\"raw_size\":100", "\"raw_size\":99999999999999999999999"},
           {"\"size\":30", "\"size\":18446744073709551615"},
           {"\"size\":30", "\"size\":9223372036854775807"},
           {"\"database_size\":5000000000", "\"database_size\":18446744073709551615"},
           {"\"id\":42", "\"id\":9223372036854775808"},
           {"\"id\":42", "\"id\":4.5"},
           {"2025-01-02T03:05:00Z", "infinity"},
           {"2025-01-02T03:05:00Z", "tomorrow"},
           {"2025-01-02T03:05:00Z", "2025-13-02T03:05:00Z"},
           {"2025-01-02T03:04:06.000001Z", "2025-01-02T03:04:06+14:00"},
           {"before the upgrade", long_text},
           {"before the upgrade", "a\\u0000b"},
           {"\"created_by\":\"me\"", "\"created_by\":\"" + long_text + "\""},
           {"\"database\":\"My", "\"database\":\"" + long_text},
           {"\"database\":\"My \\\"db\\\"\"", "\"database\":\"\""},
           {"before the upgrade", "\xff\xfe"},
           {"before the upgrade", "\\ud800"},
       }) {
    EXPECT_EQ(ErrorOf([&, f = from, t = to] { ParseManifest(Replaced(text, f, t)); }).kind(),
              ErrorKind::kInvalid)
        << to;
  }
}

// A cheap fuzzer, the same each time: whatever is done to a manifest, it is refused as such or is
// one whose numbers and names hold what manifest_check.h promises.
TEST(Manifest, WhateverIsDoneToItIsRefusedOrHarmless) {
  const std::string text = Text(SomeManifest());
  const std::vector<std::string> pieces = {"\"",   "{",
                                           "}",    "[",
                                           "]",    ",",
                                           "-",    "..",
                                           "/",    "\\u0000",
                                           "\x80", "null",
                                           "1e99", "18446744073709551615",
                                           "true", "schema.dump.zst"};
  uint64_t state = 88172645463325252ull;
  const auto next = [&](size_t below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<size_t>(state % below);
  };
  size_t refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string changed = text;
    for (size_t i = 0; i <= next(3); ++i) {
      const size_t at = next(changed.size());
      switch (next(4)) {
        case 0:
          changed[at] = static_cast<char>(next(256));
          break;
        case 1:
          changed.erase(at, 1 + next(20));
          break;
        case 2:
          changed.insert(at, pieces[next(pieces.size())]);
          break;
        default:
          changed.insert(at, changed.substr(next(changed.size()), next(60)));
      }
    }
    try {
      const Manifest manifest = ParseManifest(changed);
      EXPECT_LE(manifest.RawSize(), static_cast<uint64_t>(INT64_MAX));
      EXPECT_LE(manifest.StoredSize(), static_cast<uint64_t>(INT64_MAX));
      std::set<std::string> names;
      for (const ManifestObject& object : manifest.objects) {
        EXPECT_TRUE(names.insert(object.name).second);
        for (const Segment& segment : object.segments)
          EXPECT_EQ((object.name + segment.name).find('/'), std::string::npos);
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << error.message();
      ++refused;
    }
  }
  EXPECT_GT(refused, 5000u);
}

TEST(ManifestStore, ReadsWhatWasStoredAndComparesTheChecksum) {
  MemoryStorage storage;
  const std::string text = Text(SomeManifest());
  StoreManifest(storage, "c/db/b42", text);
  EXPECT_EQ(ReadManifest(storage, "c/db/b42", ToHex(Sha256::Of(text)), {}).id, 42);
  EXPECT_EQ(ReadManifest(storage, "c/db/b42", std::nullopt, {}).id, 42);
  EXPECT_EQ(ErrorOf([&] { ReadManifest(storage, "c/db/b42", "00", {}); }).kind(),
            ErrorKind::kCorrupt);
  EXPECT_EQ(ErrorOf([&] { ReadManifest(storage, "c/db/b43", std::nullopt, {}); }).kind(),
            ErrorKind::kNotFound);
}

TEST(ManifestStore, NeverReplacesAnotherRunsManifest) {
  MemoryStorage storage;
  StoreManifest(storage, "f", "one");
  StoreManifest(storage, "f", "one");  // a repeated request meets its own object
  EXPECT_EQ(ErrorOf([&] { StoreManifest(storage, "f", "two"); }).kind(), ErrorKind::kAlreadyExists);
  EXPECT_EQ(storage.objects["f/manifest.json"], "one");
}

}  // namespace
}  // namespace pgbackup
