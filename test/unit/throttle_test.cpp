#include "core/storage/throttle.h"

#include <gtest/gtest.h>

#include <thread>

#include "core/storage/file_storage.h"
#include "s3_test_support.h"
#include "storage_test_support.h"

namespace pgbackup {
namespace {

using RealSeconds = std::chrono::duration<double>;

class ThrottleTest : public ::testing::Test {
 protected:
  double Elapsed() const { return RealSeconds(environment_.SteadyNow() - start_).count(); }

  FakeEnvironment environment_;
  Cancellation cancellation_;
  SteadyTime start_ = environment_.SteadyNow();
};

TEST_F(ThrottleTest, TheAverageIsWithinTwoPerCentOfTheLimit) {
  for (const uint64_t rate :
       {uint64_t{1} << 10, uint64_t{100'000}, uint64_t{20} << 20, uint64_t{3} << 30}) {
    Throttle throttle(rate, environment_);
    start_ = environment_.SteadyNow();
    uint64_t passed = 0;
    while (passed < rate * 20) {
      throttle.Take(throttle.Slice(), cancellation_);
      passed += throttle.Slice();
    }
    EXPECT_NEAR(static_cast<double>(passed) / Elapsed() / static_cast<double>(rate), 1.0, 0.02)
        << rate;
  }
}

TEST_F(ThrottleTest, WhatIsTakenAtOddSizesAndTimesIsLimitedAlike) {
  Throttle throttle(1'000'000, environment_);
  std::mt19937 random(7);
  uint64_t passed = 0;
  while (passed < 30'000'000) {
    const size_t bytes = random() % 60'000;
    throttle.Take(bytes, cancellation_);
    passed += bytes;
    environment_.Advance(std::chrono::microseconds(random() % 5'000));
  }
  EXPECT_NEAR(static_cast<double>(passed) / Elapsed(), 1e6, 2e4);
}

TEST_F(ThrottleTest, IdleTimeIsNotSavedUp) {
  Throttle throttle(1'000'000, environment_);
  environment_.Advance(std::chrono::hours(1));
  start_ = environment_.SteadyNow();
  for (int i = 0; i < 100; ++i) throttle.Take(20'000, cancellation_);
  EXPECT_GT(Elapsed(), 1.85);
  EXPECT_LT(Elapsed(), 2.0);
}

TEST_F(ThrottleTest, IsSharedByAllThatTakeFromIt) {
  const auto environment = SystemEnvironment();
  Throttle throttle(4'000'000, *environment);
  const SteadyTime start = environment->SteadyNow();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) throttle.Take(50'000, cancellation_);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(RealSeconds(environment->SteadyNow() - start).count(),
            0.35);  // 2 MB at 4 MB/s, less a burst
}

TEST_F(ThrottleTest, ACancelEndsTheWait) {
  const auto environment = SystemEnvironment();
  Throttle throttle(1, *environment);
  throttle.Take(1'000'000, cancellation_);
  cancellation_.Cancel();
  const SteadyTime start = environment->SteadyNow();
  throttle.Take(1, cancellation_);
  EXPECT_LT(RealSeconds(environment->SteadyNow() - start).count(), 5.0);
}

TEST_F(ThrottleTest, FilesAreWrittenNoFaster) {
  const TemporaryDirectory directory;
  Throttle throttle(1 << 20, environment_);
  FileStorage storage(directory.path(), environment_, cancellation_, &throttle);
  const std::string content = SomeBytes(10 << 20);
  WriteObject(storage, "x", content);
  EXPECT_NEAR(Elapsed(), 10.0, 0.2);
  EXPECT_TRUE(SameBytes(ReadObjectText(storage, "x"), content));
}

TEST_F(ThrottleTest, PartsAreUploadedNoFaster) {
  FakeStore store;
  Throttle throttle(1 << 20, environment_);
  S3Settings settings;
  settings.endpoint = "http://store:9000";
  settings.part_size = kLeastPartSize;
  S3Storage storage({"bucket", "p"}, settings, S3Limits{}, std::make_unique<FakeTransport>(store),
                    environment_, cancellation_, &throttle);
  const std::string content = SomeBytes(7 << 20);
  const auto sink = storage.Put("x", {});
  sink->Write(AsBytes(content));
  sink->Finish();
  // The last part and the first travel at the same time, and each moves the clock for both.
  EXPECT_GT(Elapsed(), 6.5);
  EXPECT_TRUE(SameBytes(store.objects.at("p/x").content, content));
}

}  // namespace
}  // namespace pgbackup
