#include "core/manifest/stored_object.h"

#include "core/base/sha256.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

ManifestObject TwoSegments() {
  ManifestObject object;
  object.name = "x";
  object.segments = {{"x", 3, ToHex(Sha256::Of("abc"))}, {"x.part2", 2, ToHex(Sha256::Of("de"))}};
  return object;
}

TEST(StoredObject, SegmentsFlowInOrderAndTheReaderIsFinishedOnce) {
  MemoryStorage storage;
  storage.objects = {{"f/x", "abc"}, {"f/x.part2", "de"}};
  SinkLog log;
  LoggingSink sink(&log);
  ReadStoredObject(storage, "f", TwoSegments(), sink);
  EXPECT_EQ(log.bytes, "abcde");
  EXPECT_EQ(log.finished, 1);
}

TEST(StoredObject, ADamagedOrMissingSegmentNeverFinishesTheReader) {
  for (const auto& objects :
       std::vector<std::map<std::string, std::string>>{{{"f/x", "abc"}, {"f/x.part2", "dX"}},
                                                       {{"f/x", "abc"}},
                                                       {{"f/x", "ab"}, {"f/x.part2", "de"}}}) {
    MemoryStorage storage;
    storage.objects = objects;
    SinkLog log;
    LoggingSink sink(&log);
    const Error error = ErrorOf([&] { ReadStoredObject(storage, "f", TwoSegments(), sink); });
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_EQ(log.finished, 0);
  }
}

}  // namespace
}  // namespace pgbackup
