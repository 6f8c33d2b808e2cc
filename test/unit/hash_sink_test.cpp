#include "core/pipeline/hash_sink.h"

#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

TEST(HashSink, KnowsSizeAndDigestAfterFinish) {
  SinkLog log;
  HashSink sink(std::make_unique<LoggingSink>(&log));
  sink.Write(AsBytes("a"));
  sink.Write(AsBytes("bc"));
  sink.Finish();
  EXPECT_EQ(sink.size(), 3u);
  EXPECT_EQ(sink.sha256(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(log.bytes, "abc");
  EXPECT_EQ(log.finished, 1);
}

}  // namespace
}  // namespace pgbackup
