#include "core/pipeline/count_sink.h"

#include "core/base/sha256.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

TEST(CountSink, CountsItsOwnBytesAndAddsThemToTheSharedTotal) {
  SinkLog log;
  std::atomic<uint64_t> total{100};
  CountSink sink(std::make_unique<LoggingSink>(&log), &total);
  sink.Write(AsBytes("abc"));
  sink.Write(AsBytes(""));
  sink.Write(AsBytes("de"));
  sink.Finish();
  EXPECT_EQ(sink.bytes(), 5u);
  EXPECT_EQ(total.load(), 105u);
  EXPECT_EQ(log.bytes, "abcde");
  EXPECT_EQ(log.finished, 1);
}

TEST(CountSink, PassesAnAbortOn) {
  SinkLog log;
  std::atomic<uint64_t> total{0};
  CountSink sink(std::make_unique<LoggingSink>(&log), &total);
  sink.Abort();
  EXPECT_EQ(log.aborted, 1);
  EXPECT_EQ(log.finished, 0);
}

}  // namespace
}  // namespace pgbackup
