#include "core/pipeline/tee_sink.h"

#include "core/base/sha256.h"
#include "pipeline_test_support.h"

namespace pgbackup {
namespace {

class ThrowingSink final : public Sink {
 public:
  explicit ThrowingSink(SinkLog* log) : log_(log) {}
  void Write(std::span<const std::byte>) override { throw Error(ErrorKind::kNoSpace, "full"); }
  void Finish() override { throw Error(ErrorKind::kNoSpace, "full"); }
  void Abort() noexcept override { ++log_->aborted; }

 private:
  SinkLog* log_;
};

TeeSink MakeTee(std::unique_ptr<Sink> first, SinkLog* second, SinkLog* third) {
  std::vector<std::unique_ptr<Sink>> others;
  others.push_back(std::make_unique<LoggingSink>(second));
  others.push_back(std::make_unique<LoggingSink>(third));
  return TeeSink(std::move(first), std::move(others));
}

TEST(TeeSink, AllGetTheSameBytes) {
  SinkLog first, second, third;
  TeeSink tee = MakeTee(std::make_unique<LoggingSink>(&first), &second, &third);
  tee.Write(AsBytes("one "));
  tee.Write(AsBytes("two"));
  tee.Finish();
  for (const SinkLog* log : {&first, &second, &third}) {
    EXPECT_EQ(log->bytes, "one two");
    EXPECT_EQ(log->finished, 1);
    EXPECT_EQ(log->aborted, 0);
  }
}

TEST(TeeSink, WhatTheFirstThrowsPassesThrough) {
  SinkLog first, second, third;
  TeeSink tee = MakeTee(std::make_unique<ThrowingSink>(&first), &second, &third);
  EXPECT_THROW(tee.Write(AsBytes("x")), Error);
  EXPECT_THROW(tee.Finish(), Error);
  EXPECT_EQ(second.finished, 0);
  tee.Abort();
  for (const SinkLog* log : {&first, &second, &third}) EXPECT_EQ(log->aborted, 1);
}

}  // namespace
}  // namespace pgbackup
