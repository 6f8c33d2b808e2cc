#include "core/fingerprint/large_object_fingerprint.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgbackup {
namespace {

using LargeObjects = std::vector<std::pair<uint32_t, std::string>>;

RowFingerprint FingerprintOfObjects(const LargeObjects& objects, size_t piece = 1000) {
  LargeObjectFingerprinter fingerprinter;
  for (const auto& [oid, contents] : objects) {
    fingerprinter.Begin(oid);
    for (size_t at = 0; at < contents.size(); at += piece)
      fingerprinter.Add(std::as_bytes(std::span(std::string_view(contents).substr(at, piece))));
  }
  return fingerprinter.Finish();
}

TEST(LargeObjectFingerprint, OrderAndPiecesDoNotMatter) {
  const RowFingerprint one = FingerprintOfObjects({{1, "abc"}, {4'000'000'000, ""}, {2, "defg"}});
  EXPECT_EQ(one.rows, 3u);
  EXPECT_EQ(FingerprintOfObjects({{2, "defg"}, {1, "abc"}, {4'000'000'000, ""}}, 1), one);
}

TEST(LargeObjectFingerprint, AnyChangeDoes) {
  const RowFingerprint one = FingerprintOfObjects({{1, "abc"}, {2, "defg"}});
  EXPECT_NE(FingerprintOfObjects({{1, "abd"}, {2, "defg"}}), one);
  EXPECT_NE(FingerprintOfObjects({{1, "abc"}, {3, "defg"}}), one) << "another OID";
  EXPECT_NE(FingerprintOfObjects({{2, "abc"}, {1, "defg"}}), one) << "two swapped";
  EXPECT_NE(FingerprintOfObjects({{1, "abcd"}, {2, "efg"}}), one) << "bytes moved";
  EXPECT_NE(FingerprintOfObjects({{1, "abc"}, {2, "defg"}, {3, ""}}), one) << "an empty one more";
}

TEST(LargeObjectFingerprint, FinishBeginsAnew) {
  LargeObjectFingerprinter fingerprinter;
  fingerprinter.Begin(1);
  EXPECT_EQ(fingerprinter.Finish().rows, 1u);
  EXPECT_EQ(fingerprinter.Finish(), RowFingerprint());
}

}  // namespace
}  // namespace pgbackup
