#include "core/restore/plan/load_order.h"

#include <gtest/gtest.h>

namespace pgbackup {
namespace {

TocEntry Entry(int64_t id, const char* kind, const char* schema, const char* tag, uint32_t oid) {
  TocEntry entry;
  entry.id = id;
  entry.kind = kind;
  entry.schema = schema;
  entry.tag = tag;
  entry.oid = oid;
  entry.section = TocSection::kData;
  return entry;
}

std::optional<ArchiveToc> Definitions() {
  ArchiveToc toc;
  uint32_t oid = 100;
  for (const char* name : {"a", "b", "c", "d", "e"})
    toc.entries.push_back(Entry(oid, "TABLE", "s", name, oid)), ++oid;
  toc.entries.push_back(Entry(1, "FUNCTION", "s", "f()", 1));
  return toc;
}

ManifestObject Object(ObjectKind kind = ObjectKind::kArchive) {
  ManifestObject object;
  object.kind = kind;
  object.sections = {"data"};
  return object;
}

// Objects: 0 the rest (b, d, a sequence, a large object), 1 a bundle of a and e, 2 and 3 ranges of
// c.
Manifest SomeManifest(std::optional<UserCode> code) {
  Manifest manifest;
  manifest.user_code = std::move(code);
  manifest.objects = {Object(), Object(), Object(ObjectKind::kCopy), Object(ObjectKind::kCopy)};
  return manifest;
}

struct Stored {
  std::vector<std::vector<QualifiedName>> tables;
  std::map<size_t, ArchiveToc> archives;
  std::vector<ObjectPart> parts;
};

Stored Input() {
  Stored input;
  input.tables = {{}, {{"s", "a"}, {"s", "e"}}, {{"s", "c"}}, {{"s", "c"}}};
  input.archives[0].entries = {
      Entry(1, "ENCODING", "", "ENCODING", 0), Entry(10, "TABLE DATA", "s", "b", 101),
      Entry(11, "TABLE DATA", "s", "d", 103), Entry(12, "SEQUENCE SET", "s", "a_seq", 110),
      Entry(13, "BLOB", "", "1", 120)};
  input.archives[1].entries = {Entry(20, "TABLE DATA", "s", "a", 100),
                               Entry(21, "TABLE DATA", "s", "e", 104)};
  return input;
}

std::string InWords(const std::vector<RowLoad>& loads) {
  std::string words;
  for (const RowLoad& load : loads) {
    std::string list = load.list.value_or("all");
    for (char& c : list)
      if (c == '\n') c = ' ';
    words += std::to_string(load.object) + (load.from_head ? " head" : "") + ": " + list + "\n";
  }
  return words;
}

LoadOrder Order(const std::optional<UserCode>& user_code, const Stored& input = Input()) {
  const Manifest manifest = SomeManifest(user_code);
  const auto definitions = Definitions();
  return OrderLoads({2, 3, 1, 0}, {input.tables, input.archives, input.parts},
                    ArchivedCode(manifest, definitions));
}

TEST(LoadOrder, WhereNothingCallsCodeEverythingIsLoadedAtOnceAndWhole) {
  Stored input = Input();
  input.archives.clear();
  const LoadOrder order = Order(UserCode(), input);
  EXPECT_EQ(InWords(order.at_once), "2: all\n3: all\n1: all\n0: all\n");
  EXPECT_TRUE(order.one_by_one.empty());
}

TEST(LoadOrder, TablesThatCallCodeComeInTheArchivesOrderAndSequencesLast) {
  const LoadOrder order = Order(UserCode{{103, 102, 104}, {}, {}, {}, {}});
  EXPECT_EQ(InWords(order.at_once), "1: 20; \n0: 10; 13; \n");
  EXPECT_EQ(InWords(order.one_by_one), "2: all\n3: all\n0: 11; \n1: 21; \n0 head: 12; \n");
}

TEST(LoadOrder, WithoutARecordAllTablesComeInTheArchivesOrder) {
  const LoadOrder order = Order(std::nullopt);
  EXPECT_EQ(InWords(order.at_once), "0: 13; \n");
  EXPECT_EQ(InWords(order.one_by_one),
            "1: 20; \n0: 10; \n2: all\n3: all\n0: 11; \n1: 21; \n0 head: 12; \n");
}

TEST(LoadOrder, TurnsOfOneArchiveThatFollowEachOtherAreOne) {
  Stored input = Input();
  input.archives[0].entries.insert(input.archives[0].entries.begin(),
                                   Entry(9, "TABLE DATA", "r", "z", 105));
  const LoadOrder order = Order(UserCode{{105, 101}, {}, {}, {}, {}}, input);
  EXPECT_EQ(InWords(order.one_by_one), "0: 9; 10; \n0 head: 12; \n");
}

TEST(LoadOrder, OfAPartOnlyWhatIsSelectedIsLoaded) {
  Stored input = Input();
  using Take = ObjectPart::Take;
  input.parts = {
      {Take::kListed, "10;\n11;\n"}, {Take::kListed, "21;\n"}, {Take::kAll, ""}, {Take::kAll, ""}};
  const LoadOrder order = Order(UserCode{{103, 104}, {}, {}, {}, {}}, input);
  EXPECT_EQ(InWords(order.at_once), "2: all\n3: all\n0: 10; \n");
  EXPECT_EQ(InWords(order.one_by_one), "0: 11; \n1: 21; \n");
}

TEST(LoadOrder, AnArchiveThatCannotBeReadWaitsWhole) {
  Stored input = Input();
  input.archives.clear();
  const LoadOrder order = Order(UserCode{{104}, {}, {}, {}, {}}, input);
  EXPECT_EQ(InWords(order.at_once), "2: all\n3: all\n");
  EXPECT_EQ(InWords(order.one_by_one), "0: all\n1: all\n");
}

TEST(LoadOrder, OnlyArchivesOfSeveralTablesHaveToBeSplit) {
  const auto definitions = Definitions();
  const Manifest manifest = SomeManifest(UserCode{{104}, {}, {}, {}, {}});
  const ArchivedCode code(manifest, definitions);
  const Stored input = Input();
  const auto split = [&](size_t i) {
    return MayHaveToBeSplit(manifest.objects[i], input.tables[i], code);
  };
  EXPECT_TRUE(split(0));
  EXPECT_TRUE(split(1));
  EXPECT_FALSE(split(2));
  EXPECT_FALSE(MayHaveToBeSplit(Object(), {{"s", "e"}}, code));
  EXPECT_FALSE(MayHaveToBeSplit(Object(), {{"s", "a"}, {"s", "b"}}, code));
  const Manifest plain = SomeManifest(UserCode());
  EXPECT_FALSE(MayHaveToBeSplit(Object(), {}, ArchivedCode(plain, definitions)));
}

}  // namespace
}  // namespace pgbackup
