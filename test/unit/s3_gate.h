// Counts how many requests are on their way at once, by holding them back.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>

#include "s3_test_support.h"

namespace pgbackup {

// Holds callers back until `wanted` are here, gives one more the time to come, then lets all go on.
class Gate {
 public:
  explicit Gate(int wanted) : wanted_(wanted) {}

  void Pass(const std::function<void()>& when_full) {
    std::unique_lock lock(mutex_);
    most_ = std::max(most_, ++inside_);
    changed_.notify_all();
    if (inside_ == wanted_ && !open_) {
      changed_.wait_for(lock, std::chrono::milliseconds(200), [&] { return inside_ > wanted_; });
      when_full();
      open_ = true;
      changed_.notify_all();
    }
    // Who fails to come fails the test, and must not hang it.
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return open_; });
    --inside_;
  }
  int most() const { return most_; }

 private:
  const int wanted_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0, most_ = 0;
  bool open_ = false;
};

// A store whose requests of one kind pass a gate.
class GatedTransport final : public Transport {
 public:
  GatedTransport(
      FakeStore& store, Gate& gate, std::function<bool(const SeenRequest&)> is_held,
      std::function<void()> when_full = [] {})
      : next_(store), gate_(gate), is_held_(std::move(is_held)), when_full_(std::move(when_full)) {}
  HttpResponse Perform(const HttpRequest& request) override {
    if (is_held_(TakeApart(request))) gate_.Pass(when_full_);
    return next_.Perform(request);
  }

 private:
  FakeTransport next_;
  Gate& gate_;
  std::function<bool(const SeenRequest&)> is_held_;
  std::function<void()> when_full_;
};

}  // namespace pgbackup
