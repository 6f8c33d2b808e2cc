#include "core/fingerprint/fingerprint_list.h"

#include <gtest/gtest.h>

#include "error_test_support.h"

namespace pgbackup {
namespace {

FingerprintList Read(const char* text) {
  const boost::json::object object = ParseJsonObject(text, "a list");
  return FingerprintsFromJson(JsonReader(object, "a list"));
}

TEST(FingerprintList, IsReadBackAsItWasWritten) {
  FingerprintList list;
  list[{"public", "a\"b"}] = RowFingerprint::FromText(3, "0123456789abcdef0011223344556677");
  list[{"ü", "empty"}] = {};
  const boost::json::object json = FingerprintsToJson(list);
  EXPECT_EQ(FingerprintsFromJson(JsonReader(json, "a list")), list);
  EXPECT_EQ(boost::json::serialize(FingerprintsToJson({})),
            R"({"algorithm":"xxh3-128-sum","tables":[]})");
}

TEST(FingerprintList, HoldsThoseOfRowsWithGeneratedColumnsApart) {
  FingerprintList rows, generated;
  rows[{"s", "t"}] = RowFingerprint::FromText(3, "0123456789abcdef0011223344556677");
  generated[{"s", "t"}] = RowFingerprint::FromText(3, "1123456789abcdef0011223344556677");
  const boost::json::object json = FingerprintsToJson(rows, generated);
  EXPECT_EQ(FingerprintsFromJson(JsonReader(json, "a list")), rows);
  EXPECT_EQ(FingerprintsFromJson(JsonReader(json, "a list"), "generated"), generated);
  EXPECT_TRUE(
      FingerprintsFromJson(JsonReader(FingerprintsToJson(rows), "a list"), "generated").empty());
}

TEST(FingerprintList, LeavesAnotherAlgorithmAloneAndRefusesNonsense) {
  EXPECT_TRUE(Read(R"({"algorithm":"newer","tables":[{"schema":"s"}]})").empty());
  for (const char* text :
       {"{}", R"({"algorithm":"xxh3-128-sum","tables":[{"schema":"s","name":"t"}]})",
        R"({"algorithm":"xxh3-128-sum","tables":[{"schema":"s","name":"t","rows":1,"hash":"1"}]})"})
    EXPECT_EQ(ErrorOf([&] { Read(text); }).kind(), ErrorKind::kInvalid) << text;
}

}  // namespace
}  // namespace pgbackup
