#include "core/manifest/segment_sink.h"

#include "core/base/sha256.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

std::string Digest(std::string_view text) {
  return ToHex(Sha256::Of(text));
}

TEST(SegmentSink, WhatFitsIsOneObject) {
  MemoryStorage storage(5);
  std::atomic<uint64_t> stored{0};
  SegmentSink sink(storage, "f/x", &stored);
  sink.Write(AsBytes("abc"));
  sink.Write(AsBytes("de"));
  EXPECT_TRUE(storage.objects.empty());
  sink.Finish();
  ASSERT_EQ(storage.objects.size(), 1u);
  EXPECT_EQ(storage.objects["f/x"], "abcde");
  ASSERT_EQ(sink.segments().size(), 1u);
  EXPECT_EQ(sink.segments()[0].size, 5u);
  EXPECT_EQ(sink.segments()[0].sha256, Digest("abcde"));
  EXPECT_EQ(stored.load(), 5u);
}

TEST(SegmentSink, ALongStreamContinuesInNumberedPartsEachWithItsDigest) {
  MemoryStorage storage(5);
  std::atomic<uint64_t> stored{0};
  SegmentSink sink(storage, "f/x", &stored);
  sink.Write(AsBytes("abcdefghijkl"));
  sink.Finish();
  EXPECT_EQ(storage.objects["f/x"], "abcde");
  EXPECT_EQ(storage.objects["f/x.part2"], "fghij");
  EXPECT_EQ(storage.objects["f/x.part3"], "kl");
  ASSERT_EQ(sink.segments().size(), 3u);
  EXPECT_EQ(sink.segments()[2].name, "f/x.part3");
  EXPECT_EQ(sink.segments()[2].size, 2u);
  EXPECT_EQ(sink.segments()[1].sha256, Digest("fghij"));
  EXPECT_EQ(stored.load(), 12u);
}

TEST(SegmentSink, AStreamWithoutBytesIsAnEmptyObject) {
  MemoryStorage storage(5);
  std::atomic<uint64_t> stored{0};
  SegmentSink sink(storage, "x", &stored);
  sink.Finish();
  EXPECT_EQ(storage.objects.count("x"), 1u);
}

TEST(SegmentSink, AbortAlsoDeletesTheSegmentsThatWereFinished) {
  MemoryStorage storage(5);
  std::atomic<uint64_t> stored{0};
  SegmentSink sink(storage, "x", &stored);
  sink.Write(AsBytes("abcdefg"));
  EXPECT_EQ(storage.objects.size(), 1u);
  sink.Abort();
  EXPECT_TRUE(storage.objects.empty());
  sink.Abort();
}

TEST(SegmentSink, DestructionWithoutFinishIsAnAbort) {
  MemoryStorage storage(5);
  std::atomic<uint64_t> stored{0};
  { SegmentSink(storage, "x", &stored).Write(AsBytes("abcdefg")); }
  EXPECT_TRUE(storage.objects.empty());
}

TEST(SegmentSink, ASegmentThatCannotBeBegunLeavesNothingAfterAbort) {
  MemoryStorage storage(5);
  storage.fail_put = {"x.part2"};
  std::atomic<uint64_t> stored{0};
  SegmentSink sink(storage, "x", &stored);
  EXPECT_EQ(ErrorOf([&] { sink.Write(AsBytes("abcdefg")); }).kind(), ErrorKind::kUnavailable);
  sink.Abort();
  EXPECT_TRUE(storage.objects.empty());
}

TEST(SegmentSink, AbortAfterAGoodFinishChangesNothing) {
  MemoryStorage storage(5);
  std::atomic<uint64_t> stored{0};
  SegmentSink sink(storage, "x", &stored);
  sink.Write(AsBytes("abcdefg"));
  sink.Finish();
  sink.Abort();
  EXPECT_EQ(storage.objects.size(), 2u);
}

}  // namespace
}  // namespace pgbackup
