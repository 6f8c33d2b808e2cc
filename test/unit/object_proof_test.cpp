#include "core/integrity/object_proof.h"

#include "core/base/sha256.h"
#include "pipeline_test_support.h"
#include "text_test_support.h"

namespace pgbackup {
namespace {

TEST(CountListed, CountsEntriesAndTables) {
  const ObjectProof proof = CountListed(
      ";\n; Archive created at 2025-01-01\n;     TOC Entries: 5\n;\n"
      "6; 2615 16390 SCHEMA - sales owner\n"
      "215; 1259 16391 TABLE sales orders owner\n"
      "216; 1259 16392 TABLE sales a TABLE; b owner\n"
      "217; 0 0 TABLE ATTACH sales orders_2024 owner\n"
      "3321; 0 16391 TABLE DATA sales orders owner\n"
      "3322; 0 0 ACL sales TABLE orders owner\n");
  EXPECT_EQ(proof.entries, 6u);
  EXPECT_EQ(proof.tables, 2u);
  EXPECT_EQ(CountListed("").entries, 0u);
}

class ProofOfObjects : public ::testing::Test {
 protected:
  void Store(const std::string& content) {
    storage_.objects["f/" + object_.name] = content;
    object_.raw_size = content.size();
    object_.segments = {{object_.name, content.size(), ToHex(Sha256::Of(content))}};
  }
  void Prove() {
    ProveObject(object_, std::nullopt,
                {programs_, storage_, "f", manifest_, progress_, cancellation_});
  }

  ManifestObject object_;
  Manifest manifest_;
  MemoryStorage storage_;
  Programs programs_;
  Progress progress_;
  Cancellation cancellation_;
};

TEST_F(ProofOfObjects, ReadsAllOfAScript) {
  object_.name = "database.sql";
  object_.kind = ObjectKind::kSql;
  const std::string script = "SELECT 1;\n--\n-- PostgreSQL database dump complete\n--\n";
  Store(script);
  Prove();
  EXPECT_EQ(progress_.raw_bytes, script.size());
  storage_.objects["f/database.sql"] = Replaced(script, "1", "2");
  EXPECT_EQ(ErrorOf([&] { Prove(); }).kind(), ErrorKind::kCorrupt);
  Store("SELECT 1;");
  EXPECT_EQ(ErrorOf([&] { Prove(); }).kind(), ErrorKind::kCorrupt);
}

TEST_F(ProofOfObjects, RowsOfATableHaveABeginningAndAnEnd) {
  object_.name = "data-001.sql";
  object_.kind = ObjectKind::kCopy;
  object_.tables = {{"s", "t"}};
  object_.copy = CopyRange{{"a"}, 0, std::nullopt};
  manifest_.properties.encoding = "UTF8";
  const std::string begin = CopyBegin({"s", "t"}, {"a"}, "UTF8");
  Store(begin + "1\n2\n" + kCopyEnd);
  Prove();
  Store(begin + "1\n2\n");
  EXPECT_EQ(ErrorOf([&] { Prove(); }).kind(), ErrorKind::kCorrupt);
}

TEST_F(ProofOfObjects, AnArchiveThatEndsTooEarlyIsNone) {
  object_.name = "database.dump";
  Store("PGDMP");
  EXPECT_EQ(ErrorOf([&] { Prove(); }).kind(), ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace pgbackup
