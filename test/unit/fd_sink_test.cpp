#include "core/pipeline/fd_sink.h"

#include <fcntl.h>
#include <signal.h>

#include <thread>

#include "core/base/sha256.h"
#include "core/pipeline/buffer_sink.h"
#include "core/pipeline/pump.h"
#include "pipeline_test_support.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

class FdSinkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    read_.Reset(ends[0]);
    write_.Reset(ends[1]);
  }
  void ExpectMoved(const std::string& bytes) {
    BufferSink got(bytes.size(), "it");
    std::thread reader([&] { Pump(read_.get(), got, cancellation_); });
    FdSink sink(std::move(write_), cancellation_, [] { FAIL(); });
    sink.Write(AsBytes(bytes));
    sink.Finish();
    reader.join();
    EXPECT_TRUE(SameBytes(got.text(), bytes));
  }
  UniqueFd read_, write_;
  Cancellation cancellation_;
};

TEST_F(FdSinkTest, MovesMoreThanAPipeHoldsAndEndsItWithFinish) {
  ExpectMoved(SomeBytes(3 << 20));
}

// A pipe that is large is waited at in another way than a small one.
TEST_F(FdSinkTest, MovesMoreThanALargePipeHolds) {
  ASSERT_GE(fcntl(write_.get(), F_SETPIPE_SZ, 1 << 20), 1 << 20);
  ExpectMoved(SomeBytes(9 << 20));
}

TEST_F(FdSinkTest, AsksOnceWhenTheReaderHasGoneAndDiscardsTheRest) {
  int asked = 0;
  FdSink sink(std::move(write_), cancellation_, [&] { ++asked; });
  read_.Reset();
  sink.Write(AsBytes("abc"));
  sink.Write(AsBytes("def"));
  sink.Finish();
  EXPECT_EQ(asked, 1);
}

TEST_F(FdSinkTest, PassesOnWhatTheCallerThinksOfALostReader) {
  FdSink sink(std::move(write_), cancellation_, [] { throw Error(ErrorKind::kTool, "it failed"); });
  read_.Reset();
  EXPECT_EQ(ErrorOf([&] { sink.Write(AsBytes("abc")); }).message(), "it failed");
}

TEST_F(FdSinkTest, CancellationEndsAWriteThatWaits) {
  FdSink sink(std::move(write_), cancellation_, [] {});
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    cancellation_.Cancel();
  });
  const std::string bytes = SomeBytes(4 << 20);
  EXPECT_EQ(ErrorOf([&] { sink.Write(AsBytes(bytes)); }).kind(), ErrorKind::kCancelled);
  canceller.join();
}

TEST_F(FdSinkTest, CancellationEndsAReadThatWaits) {
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    cancellation_.Cancel();
  });
  BufferSink got(100, "it");
  EXPECT_EQ(ErrorOf([&] { Pump(read_.get(), got, cancellation_); }).kind(), ErrorKind::kCancelled);
  canceller.join();
}

}  // namespace
}  // namespace pgbackup
