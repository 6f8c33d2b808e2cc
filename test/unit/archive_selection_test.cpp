#include "core/restore/plan/archive_selection.h"

#include "core/restore/plan/completed_toc.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

// The dump of
//   schema app: table t (serial id, FK to u, trigger by function public.f, ACL), table u
//   public: parted with partitions p1, p2 and their indexes, a publication of p1
// as pg_dump 15 orders and links its entries.
ArchiveToc SmallArchive() {
  ArchiveToc toc;
  const auto add = [&](int64_t id, const char* kind, const char* schema, const char* tag,
                       std::vector<int64_t> depends_on = {}) {
    toc.entries.push_back({id, kind, tag, schema, std::move(depends_on)});
  };
  add(1, "SCHEMA", "", "app");
  add(2, "ACL", "", "SCHEMA app", {1});
  add(3, "FUNCTION", "public", "f()");
  add(4, "FUNCTION", "public", "unused()");
  add(10, "TABLE", "app", "t", {1});
  add(11, "SEQUENCE", "app", "t_id_seq", {10, 1});
  add(12, "SEQUENCE OWNED BY", "app", "t_id_seq", {11});
  add(13, "ACL", "app", "TABLE t", {10});
  add(14, "TABLE", "app", "u", {1});
  add(15, "SEQUENCE", "app", "other_seq", {1});
  add(16, "STATISTICS", "app", "st", {1, 14});
  add(20, "TABLE", "public", "parted");
  add(21, "TABLE", "public", "p1", {20});
  add(22, "TABLE", "public", "p2", {20});
  add(23, "TABLE ATTACH", "public", "p1", {21, 20});
  add(24, "TABLE ATTACH", "public", "p2", {22, 20});
  add(30, "DEFAULT", "app", "t id", {10, 11, 10});
  add(40, "TABLE DATA", "app", "t", {10});
  add(41, "TABLE DATA", "app", "u", {14});
  add(42, "TABLE DATA", "public", "p1", {21});
  add(43, "TABLE DATA", "public", "p2", {22});
  add(44, "SEQUENCE SET", "app", "t_id_seq", {11});
  add(50, "CONSTRAINT", "app", "t t_pkey", {10});
  add(51, "CONSTRAINT", "app", "u u_pkey", {14});
  add(52, "INDEX", "public", "parted_i", {20});
  add(53, "INDEX", "public", "p1_i", {21, 21, 52});
  add(54, "INDEX ATTACH", "public", "p1_i", {53, 52, 21, 20});
  add(60, "TRIGGER", "app", "t tr", {10, 3});
  add(61, "POLICY", "app", "u see", {14, 10});
  add(62, "FK CONSTRAINT", "app", "t t_u_fkey", {14, 51, 10});
  add(70, "PUBLICATION", "", "pub");
  add(71, "PUBLICATION TABLE", "public", "pub p1", {21, 70});
  return toc;
}

std::set<int64_t> Ids(const WantedParts& wanted) {
  return SelectParts(SmallArchive(), wanted).ids;
}

TEST(ArchiveSelection, ATableBringsWhatBelongsToItAndWhatItNeeds) {
  EXPECT_EQ(Ids({{}, {{"app", "t"}}}),
            (std::set<int64_t>{1, 2, 3, 10, 11, 12, 13, 30, 40, 44, 50, 60}));
}

TEST(ArchiveSelection, AForeignTableBringsItsServerWithTheUserMappings) {
  ArchiveToc toc;
  const auto add = [&](int64_t id, const char* kind, const char* schema, const char* tag,
                       std::vector<int64_t> depends_on, const char* sql = "") {
    toc.entries.push_back({id, kind, tag, schema, std::move(depends_on)});
    toc.entries.back().privileges = sql;
  };
  add(1, "SERVER", "", "my SERVER far", {});
  add(2, "USER MAPPING", "", "USER MAPPING u SERVER my SERVER far", {},
      "CREATE USER MAPPING FOR u SERVER \"my SERVER far\" OPTIONS (\n    \"user\" 'SERVER "
      "far'\n);\n");
  add(3, "SERVER", "", "far", {});
  add(4, "USER MAPPING", "", "USER MAPPING public SERVER far", {},
      "CREATE USER MAPPING FOR PUBLIC SERVER far;\n");
  add(5, "FOREIGN TABLE", "public", "t", {1});
  add(6, "FOREIGN TABLE", "public", "u", {3});
  EXPECT_EQ(SelectParts(toc, {{}, {{"public", "t"}}}).ids, (std::set<int64_t>{1, 2, 5}));
  EXPECT_EQ(SelectParts(toc, {{}, {{"public", "u"}}}).ids, (std::set<int64_t>{3, 4, 6}));
}

TEST(ArchiveSelection, AForeignKeyComesOnlyWithBothItsTables) {
  const ArchiveSelection one = SelectParts(SmallArchive(), {{}, {{"app", "t"}}});
  EXPECT_EQ(one.left_out, std::vector<std::string>{"t t_u_fkey (app)"});
  const ArchiveSelection both = SelectParts(SmallArchive(), {{}, {{"app", "t"}, {"app", "u"}}});
  EXPECT_TRUE(both.left_out.empty());
  EXPECT_EQ(both.ids.count(62), 1u);
  // The referenced table alone has no foreign key of its own to lose.
  EXPECT_TRUE(SelectParts(SmallArchive(), {{"public"}, {}}).left_out.empty());
}

TEST(ArchiveSelection, NamesTheExtensionsThatAreNeeded) {
  ArchiveToc toc = SmallArchive();
  toc.entries.push_back({80, "EXTENSION", "hstore", "", {}});
  toc.entries.push_back({81, "EXTENSION", "cube", "", {}});
  toc.entries.push_back({82, "TABLE", "bag", "app", {1, 80}});
  EXPECT_EQ(SelectParts(toc, {{}, {{"app", "bag"}}}).extensions,
            std::vector<std::string>{"hstore"});
  EXPECT_TRUE(SelectParts(toc, {{}, {{"app", "t"}}}).extensions.empty());
}

TEST(ArchiveSelection, APartitionedTableStandsForItsPartitions) {
  EXPECT_EQ(Ids({{}, {{"public", "parted"}}}),
            (std::set<int64_t>{20, 21, 22, 23, 24, 42, 43, 52, 53, 54}));
}

TEST(ArchiveSelection, APartitionAloneStandsForItself) {
  EXPECT_EQ(Ids({{}, {{"public", "p1"}}}), (std::set<int64_t>{21, 42, 53}));
}

TEST(ArchiveSelection, ASchemaIsEverythingInItButNoPublication) {
  EXPECT_EQ(Ids({{"public"}, {}}),
            (std::set<int64_t>{3, 4, 20, 21, 22, 23, 24, 42, 43, 52, 53, 54}));
  EXPECT_EQ(Ids({{"app"}, {}}).count(62), 1u);
  EXPECT_EQ(Ids({{"app"}, {}}).count(15), 1u);
}

TEST(ArchiveSelection, ANameThatIsNotThereIsAnError) {
  EXPECT_EQ(ErrorOf([] { Ids({{"nix"}, {}}); }).kind(), ErrorKind::kNotFound);
  EXPECT_EQ(ErrorOf([] { Ids({{}, {{"app", "nix"}}}); }).kind(), ErrorKind::kNotFound);
  EXPECT_EQ(ErrorOf([] { Ids({{}, {{"app", "t_pkey"}}}); }).kind(), ErrorKind::kNotFound);
}

TEST(ArchiveSelection, ADomainBringsTheConstraintsThatAreMadeLater) {
  ArchiveToc toc = SmallArchive();
  toc.entries.push_back({80, "DOMAIN", "d", "app", {1}});
  toc.entries.push_back({81, "CHECK CONSTRAINT", "d ok", "app", {80, 4}});
  toc.entries.push_back({82, "COMMENT", "CONSTRAINT ok ON DOMAIN d", "app", {81}});
  toc.entries.push_back({83, "TABLE", "typed", "app", {1, 80}});
  EXPECT_EQ(SelectParts(toc, {{}, {{"app", "typed"}}}).ids,
            (std::set<int64_t>{1, 2, 4, 80, 81, 82, 83}));
}

TEST(ArchiveSelection, ASequenceComesWithoutTheTableThatOwnsIt) {
  ArchiveToc toc = SmallArchive();
  toc.entries.push_back({80, "TABLE", "borrower", "public", {11}});
  const ArchiveSelection alone =
      SelectParts(CompletedToc(toc, {}, {}), {{}, {{"public", "borrower"}}});
  EXPECT_EQ(alone.ids, (std::set<int64_t>{1, 2, 11, 44, 80}));
  EXPECT_TRUE(alone.left_out.empty());
  EXPECT_EQ(SelectParts(CompletedToc(toc, {}, {}), {{}, {{"app", "t"}}}).ids.count(12), 1u);
}

TEST(ArchiveSelection, TheSequenceOfAnIdentityColumnBringsItsTable) {
  ArchiveToc toc = SmallArchive();
  toc.entries.push_back({80, "SEQUENCE", "u_ident_seq", "app", {14, 1}});
  EXPECT_EQ(SelectParts(toc, {{}, {{"app", "u_ident_seq"}}}).ids.count(14), 1u);
}

TEST(ArchiveSelection, PrivilegesOnTheSchemaPublicComeWithWhatIsInIt) {
  ArchiveToc toc = SmallArchive();
  toc.entries.push_back({80, "ACL", "SCHEMA public", "", {999}});
  EXPECT_EQ(SelectParts(toc, {{}, {{"public", "p1"}}}).ids.count(80), 1u);
  EXPECT_EQ(SelectParts(toc, {{"public"}, {}}).ids.count(80), 1u);
  EXPECT_EQ(SelectParts(toc, {{"app"}, {}}).ids.count(80), 1u);  // it has a function of public
}

TEST(ArchiveSelection, KnowsTheRootsOfPartitionsThatComeAlone) {
  ArchiveToc toc = SmallArchive();
  toc.entries.push_back({80, "TABLE", "leaf", "public", {21}});
  toc.entries.push_back({81, "TABLE ATTACH", "leaf", "public", {80, 21}});
  using Roots = std::map<std::pair<std::string, std::string>, QualifiedName>;
  EXPECT_EQ(SelectParts(toc, {{}, {{"public", "p1"}}}).roots,
            (Roots{{{"public", "p1"}, {"public", "p1"}}, {{"public", "leaf"}, {"public", "p1"}}}));
  EXPECT_EQ(SelectParts(toc, {{}, {{"public", "leaf"}}}).roots,
            (Roots{{{"public", "leaf"}, {"public", "leaf"}}}));
  EXPECT_TRUE(SelectParts(toc, {{}, {{"public", "parted"}}}).roots.empty());
}

// A type with a cast, an operator and an operator class, and a table that calls the cast's
// function.
ArchiveToc ArchiveOfAType() {
  ArchiveToc toc;
  toc.entries = {{1, "SCHEMA", "app", "", {}},
                 {2, "TYPE", "cel", "app", {1}},
                 {3, "FUNCTION", "to_cel(integer)", "app", {1, 2}},
                 {4, "CAST", "CAST (integer AS app.cel)", "", {2, 3}},
                 {5, "FUNCTION", "eq(app.cel, app.cel)", "app", {1, 2}},
                 {6, "OPERATOR", "=", "app", {1, 2, 5}},
                 {7, "FUNCTION", "compare(app.cel, app.cel)", "app", {1, 2}},
                 {8, "OPERATOR CLASS", "cels", "app", {1, 2, 6, 7}},
                 {9, "CAST", "CAST (text AS date)", "", {}},
                 {10, "TABLE", "degrees", "app", {1, 3}},
                 {11, "TABLE", "others", "app", {1}},
                 {12, "FUNCTION", "of_table(app.others)", "app", {1, 11}},
                 {13, "CAST", "CAST (app.others AS app.cel)", "", {2, 11, 12}}};
  return toc;
}

TEST(ArchiveSelection, CastsAndOperatorsOfATypeComeAlong) {
  EXPECT_EQ(SelectParts(ArchiveOfAType(), {{}, {{"app", "degrees"}}}).ids,
            (std::set<int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(SelectParts(ArchiveOfAType(), {{}, {{"app", "others"}}}).ids,
            (std::set<int64_t>{1, 9, 11}));
}

TEST(ArchiveSelection, WhatTheBodyOfAFunctionNamesComesAlongUnlessItBringsATable) {
  ArchiveToc toc = ArchiveOfAType();
  toc.entries.push_back({20, "FUNCTION", "\"Outer\"()", "app", {1}});
  toc.entries.back().routine =
      "CREATE FUNCTION app.\"Outer\"() … $$SELECT APP.middle(of_table(o)) FROM app.others o$$;";
  toc.entries.push_back({21, "FUNCTION", "middle(integer)", "app", {1}});
  toc.entries.back().routine = "CREATE FUNCTION app.middle(integer) … $$SELECT \"In\"\"ner\"()$$;";
  toc.entries.push_back({22, "FUNCTION", "unused()", "app", {1}});
  toc.entries.push_back({23, "TEXT SEARCH CONFIGURATION", "plain", "app", {1}});
  toc.entries.push_back({24, "FUNCTION", "\"Index it\"()", "app", {1}});
  toc.entries.back().routine = "CREATE FUNCTION … $$to_tsvector('app.plain', $1)$$;";
  toc.entries.push_back({30, "TABLE", "t", "app", {1, 20, 24}});
  EXPECT_EQ(SelectParts(toc, {{}, {{"app", "t"}}}).ids,
            (std::set<int64_t>{1, 9, 20, 21, 23, 24, 30}));
}

TEST(ArchiveSelection, AConstraintBringsWhatItsIndexNeeds) {
  ArchiveToc toc = SmallArchive();
  const auto add = [&](TocEntry entry, uint32_t oid) {
    entry.oid = oid;
    toc.entries.push_back(std::move(entry));
  };
  add({80, "EXTENSION", "btree_gist", "", {}}, 500);
  add({81, "EXTENSION", "hstore", "", {}}, 501);
  add({82, "OPERATOR CLASS", "down", "public", {4}}, 502);
  add({83, "CONSTRAINT", "u excl", "app", {14}}, 503);
  add({84, "ACL", "TYPE hstore", "ext", {998}}, 0);
  add({85, "ACL", "TYPE other", "ext", {997}}, 0);
  const PartNeeds needs{{{503, {{3079, 500}, {2616, 502}, {2616, 12345}}}},
                        {{501, "ext", "TYPE hstore"}}};
  const std::vector<QualifiedName> tags = {{"ext", "TYPE hstore"}};
  const ArchiveToc completed = CompletedToc(toc, needs, tags);
  const ArchiveSelection selection = SelectParts(completed, {{}, {{"app", "u"}}});
  EXPECT_EQ(selection.extensions, std::vector<std::string>{"btree_gist"});
  for (const int64_t id : {4, 80, 82, 83}) EXPECT_EQ(selection.ids.count(id), 1u) << id;
  EXPECT_TRUE(SelectParts(CompletedToc(toc, {}, {}), {{}, {{"app", "u"}}}).extensions.empty());
  // Privileges in a schema bring the extension, and come with it.
  EXPECT_EQ(SelectParts(completed, {{"ext"}, {}}).ids.count(81), 1u);
  toc.entries.push_back({86, "TABLE", "bag", "app", {1, 81}});
  const ArchiveSelection bag = SelectParts(CompletedToc(toc, needs, tags), {{}, {{"app", "bag"}}});
  EXPECT_EQ(bag.ids.count(84), 1u);
  EXPECT_EQ(bag.ids.count(85), 0u);
  // Who excludes the operator class loses the constraint, and is told.
  const ArchiveSelection rest = SelectParts(completed, {{"app"}, {}, {"public"}, {}});
  EXPECT_EQ(rest.ids.count(83), 0u);
}

TEST(UseList, NamesTheSameEntriesInTheArchivesOrder) {
  const ArchiveToc toc = SmallArchive();
  EXPECT_EQ(UseListText(toc, SelectParts(toc, {{}, {{"public", "p1"}}}), true), "21;\n42;\n53;\n");
}

TEST(UseList, OfAnotherArchiveTakesTheRowsByName) {
  ArchiveToc data;
  data.entries = {{7, "TABLE DATA", "u", "app", {}},
                  {8, "TABLE DATA", "t", "app", {}},
                  {9, "SEQUENCE SET", "t_id_seq", "app", {}},
                  {10, "BLOBS", "BLOBS", "", {}}};
  EXPECT_EQ(UseListText(data, SelectParts(SmallArchive(), {{}, {{"app", "t"}}}), false),
            "8;\n9;\n");
}

WantedParts AllBut(std::vector<std::string> schemas, std::vector<QualifiedName> tables) {
  return {{}, {}, std::move(schemas), std::move(tables)};
}

TEST(ArchiveSelection, WhatIsExcludedTakesItsPartsAndDependentsAlong) {
  const ArchiveSelection selection = SelectParts(SmallArchive(), AllBut({}, {{"app", "u"}}));
  const std::set<int64_t> excluded = {14, 16, 41, 51, 61, 62};
  for (const TocEntry& entry : SmallArchive().entries)
    EXPECT_EQ(selection.ids.count(entry.id), 1u - excluded.count(entry.id)) << entry.id;
  EXPECT_EQ(selection.left_out, std::vector<std::string>{"t t_u_fkey (app)"});
  EXPECT_TRUE(selection.dependents.empty());
  EXPECT_FALSE(selection.TakesRowsOf({"app", "u"}));
  EXPECT_TRUE(selection.TakesRowsOf({"app", "t"}));
  EXPECT_TRUE(selection.TakesRowsOf({"extension", "settings"}));
}

TEST(ArchiveSelection, NamesWhatElseNeedsWhatIsExcluded) {
  ArchiveToc toc = SmallArchive();
  toc.entries.push_back({80, "VIEW", "v", "public", {10, 20}});
  toc.entries.push_back({81, "VIEW", "w", "public", {80}});
  toc.entries.push_back({82, "COMMENT", "VIEW w", "public", {81}});
  const ArchiveSelection selection = SelectParts(toc, AllBut({}, {{"app", "t"}}));
  EXPECT_EQ(selection.dependents,
            (std::vector<std::string>{"POLICY u see (app)", "VIEW v (public)", "VIEW w (public)"}));
  EXPECT_TRUE(selection.left_out.empty());
  for (const int64_t id : {10, 11, 12, 13, 30, 40, 44, 50, 60, 61, 62, 80, 81, 82})
    EXPECT_EQ(selection.ids.count(id), 0u) << id;
}

TEST(ArchiveSelection, AnExcludedPartitionedTableStandsForItsPartitions) {
  const ArchiveSelection all = SelectParts(SmallArchive(), AllBut({}, {{"public", "parted"}}));
  for (const int64_t id : {20, 21, 22, 23, 24, 42, 43, 52, 53, 54, 71})
    EXPECT_EQ(all.ids.count(id), 0u) << id;
  EXPECT_TRUE(all.dependents.empty());
  const ArchiveSelection one = SelectParts(SmallArchive(), AllBut({}, {{"public", "p1"}}));
  for (const int64_t id : {20, 22, 24, 43, 52, 70}) EXPECT_EQ(one.ids.count(id), 1u) << id;
  for (const int64_t id : {21, 23, 42, 53, 54, 71}) EXPECT_EQ(one.ids.count(id), 0u) << id;
}

TEST(ArchiveSelection, AnExcludedSchemaIsEverythingInIt) {
  const ArchiveSelection selection = SelectParts(SmallArchive(), AllBut({"app"}, {}));
  EXPECT_EQ(selection.ids,
            (std::set<int64_t>{3, 4, 20, 21, 22, 23, 24, 42, 43, 52, 53, 54, 70, 71}));
  EXPECT_TRUE(selection.dependents.empty());
}

TEST(ArchiveSelection, ExcludesFromWhatIsSelected) {
  const ArchiveSelection selection = SelectParts(SmallArchive(), {{"app"}, {}, {}, {{"app", "u"}}});
  EXPECT_EQ(selection.ids.count(10), 1u);
  EXPECT_EQ(selection.ids.count(14), 0u);
  EXPECT_EQ(selection.ids.count(20), 0u);
  EXPECT_EQ(selection.left_out, std::vector<std::string>{"t t_u_fkey (app)"});
  EXPECT_EQ(ErrorOf([] {
              SelectParts(SmallArchive(), {{}, {{"public", "p1"}}, {"public"}, {}});
            }).kind(),
            ErrorKind::kInvalid);
  EXPECT_EQ(ErrorOf([] {
              SelectParts(SmallArchive(), AllBut({}, {{"app", "x"}}));
            }).kind(),
            ErrorKind::kNotFound);
  EXPECT_EQ(ErrorOf([] { SelectParts(SmallArchive(), AllBut({"x"}, {})); }).kind(),
            ErrorKind::kNotFound);
}

WantedParts WithoutRowsOf(std::vector<QualifiedName> tables) {
  WantedParts wanted;
  wanted.exclude_table_data = std::move(tables);
  return wanted;
}

TEST(ArchiveSelection, TablesComeWithoutTheirRows) {
  // What is referred to: the foreign key to it could not be made.
  const ArchiveSelection referred = SelectParts(SmallArchive(), WithoutRowsOf({{"app", "u"}}));
  for (const TocEntry& entry : SmallArchive().entries)
    EXPECT_EQ(referred.ids.count(entry.id), entry.id == 41 || entry.id == 62 ? 0u : 1u) << entry.id;
  EXPECT_EQ(referred.left_out, std::vector<std::string>{"t t_u_fkey (app)"});
  EXPECT_FALSE(referred.TakesRowsOf({"app", "u"}));
  EXPECT_TRUE(referred.TakesRowsOf({"app", "t"}));
  // What refers: no row breaks its foreign key.
  const ArchiveSelection refers = SelectParts(SmallArchive(), WithoutRowsOf({{"app", "t"}}));
  for (const TocEntry& entry : SmallArchive().entries)
    EXPECT_EQ(refers.ids.count(entry.id), entry.id == 40 ? 0u : 1u) << entry.id;
  EXPECT_TRUE(refers.left_out.empty());
  // Both.
  EXPECT_EQ(SelectParts(SmallArchive(), WithoutRowsOf({{"app", "t"}, {"app", "u"}})).ids.count(62),
            1u);
  // A partitioned table stands for its partitions, a materialized view is not filled.
  const ArchiveSelection parted =
      SelectParts(SmallArchive(), WithoutRowsOf({{"public", "parted"}}));
  for (const int64_t id : {20, 21, 22, 23, 24, 52, 53, 54}) EXPECT_EQ(parted.ids.count(id), 1u);
  for (const int64_t id : {42, 43}) EXPECT_EQ(parted.ids.count(id), 0u);
  ArchiveToc toc = SmallArchive();
  toc.entries.push_back({80, "MATERIALIZED VIEW", "m", "app", {10}});
  toc.entries.push_back({81, "MATERIALIZED VIEW DATA", "m", "app", {80, 10}});
  const ArchiveSelection view = SelectParts(toc, WithoutRowsOf({{"app", "m"}}));
  EXPECT_EQ(view.ids.count(80), 1u);
  EXPECT_EQ(view.ids.count(81), 0u);
  // Beside what is selected.
  WantedParts of_app = WithoutRowsOf({{"app", "t"}});
  of_app.schemas = {"app"};
  const ArchiveSelection app = SelectParts(SmallArchive(), of_app);
  EXPECT_EQ(app.ids.count(10), 1u);
  EXPECT_EQ(app.ids.count(40), 0u);
  EXPECT_FALSE(app.TakesRowsOf({"app", "t"}));
  EXPECT_EQ(app.relations.count({"app", "t"}), 1u);
  EXPECT_EQ(ErrorOf([] {
              SelectParts(SmallArchive(), WithoutRowsOf({{"app", "x"}}));
            }).kind(),
            ErrorKind::kNotFound);
}

TEST(ArchiveSelection, AnExtensionIsHeldBackWithWhatDependsOnIt) {
  ArchiveToc toc = SmallArchive();
  toc.entries.push_back({80, "EXTENSION", "pg_cron", "", {}});
  toc.entries.push_back({81, "COMMENT", "EXTENSION pg_cron", "", {80}});
  toc.entries.push_back({82, "VIEW", "jobs", "app", {1, 80}});
  toc.entries.push_back({83, "TABLE DATA", "job", "cron", {9999}});
  toc.entries.push_back({84, "SEQUENCE SET", "jobid_seq", "cron", {9998}});
  toc.entries.push_back({85, "EXTENSION", "hstore", "", {}});
  WantedParts wanted;
  wanted.hold_extensions = {"pg_cron", "other"};
  wanted.hold_tables = {{"cron", "job"}, {"cron", "jobid_seq"}};
  const ArchiveSelection selection = SelectParts(toc, wanted);
  EXPECT_EQ(selection.held, (std::set<int64_t>{80, 81, 82, 83, 84}));
  for (const TocEntry& entry : toc.entries)
    EXPECT_EQ(selection.ids.count(entry.id), 1u - selection.held.count(entry.id)) << entry.id;
  EXPECT_FALSE(selection.TakesRowsOf({"cron", "job"}));
  EXPECT_TRUE(selection.TakesRowsOf({"app", "t"}));
  EXPECT_TRUE(selection.dependents.empty());
  const ArchiveSelection held = HeldBack(selection);
  EXPECT_EQ(UseListText(toc, held, true), "80;\n81;\n82;\n83;\n84;\n");
  ArchiveToc data;
  data.entries = {{7, "TABLE DATA", "job", "cron", {}}, {8, "TABLE DATA", "t", "app", {}}};
  EXPECT_EQ(UseListText(data, held, false), "7;\n");
  EXPECT_EQ(UseListText(data, selection, false), "8;\n");
  // A part that does not need it.
  wanted.tables = {{"app", "u"}};
  EXPECT_TRUE(SelectParts(toc, wanted).held.empty());
}

TEST(UseList, OfAnotherArchiveTakesAllButTheRowsThatAreExcluded) {
  ArchiveToc data;
  data.entries.push_back({1, "ENCODING", "ENCODING", "", {}});
  data.entries.push_back({5, "TABLE DATA", "t", "app", {}});
  data.entries.push_back({6, "TABLE DATA", "u", "app", {}});
  data.entries.push_back({7, "BLOBS", "BLOBS", "", {}});
  EXPECT_EQ(UseListText(data, SelectParts(SmallArchive(), AllBut({}, {{"app", "t"}})), false),
            "6;\n7;\n");
}

}  // namespace
}  // namespace pgbackup
