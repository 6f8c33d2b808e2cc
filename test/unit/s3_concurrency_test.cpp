// How many parts of an upload are on their way at once, and how much memory that takes.
#include <gtest/gtest.h>

#include <atomic>

#include "s3_gate.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

struct Upload {
  int most_parts = 0;            // on their way at once
  uint64_t bytes_in_memory = 0;  // taken from the writer's caller while these were held back
};

// Uploads `size` bytes in small pieces.
Upload UploadWith(uint64_t concurrency, size_t size) {
  FakeStore store;
  FakeEnvironment environment;
  const Cancellation cancellation;
  S3Settings settings;
  settings.endpoint = "http://store:9000";
  settings.part_size = kPart;
  settings.concurrency = concurrency;
  Upload upload;
  std::atomic<uint64_t> taken{0};
  Gate gate(static_cast<int>(concurrency));
  S3Storage storage(
      {"bucket", ""}, settings, S3Limits{},
      std::make_unique<GatedTransport>(
          store, gate, [](const SeenRequest& request) { return request.Has("partNumber"); },
          [&] { upload.bytes_in_memory = taken; }),
      environment, cancellation);
  const std::string content = SomeBytes(size);
  const auto sink = storage.Put("x", {});
  for (size_t at = 0; at < size; at += 65'536) {
    const auto piece = AsBytes(std::string_view(content).substr(at, 65'536));
    sink->Write(piece);
    taken += piece.size();
  }
  sink->Finish();
  EXPECT_TRUE(SameBytes(store.objects.at("x").content, content));
  upload.most_parts = gate.most();
  return upload;
}

TEST(S3Concurrency, IsReachedAndNeverExceeded) {
  for (const int concurrency : {1, 4, 7})
    EXPECT_EQ(UploadWith(static_cast<uint64_t>(concurrency), 10 * kPart).most_parts, concurrency);
}

TEST(S3Concurrency, ASmallLastPartCountsToo) {
  EXPECT_EQ(UploadWith(4, 4 * kPart + 100).most_parts, 4);
}

TEST(S3Concurrency, BoundsTheMemoryOfALoneWriter) {
  EXPECT_LE(UploadWith(4, 10 * kPart).bytes_in_memory, 4 * kPart + kSmallPart);
  EXPECT_LE(UploadWith(1, 10 * kPart).bytes_in_memory, kPart + kSmallPart);
}

TEST(S3Concurrency, IsFourWhereNobodySaysOtherwise) {
  EXPECT_EQ(S3Settings().concurrency, 4u);
}

}  // namespace
}  // namespace pgbackup
