#include "core/base/lanes.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace pgbackup {

void RunLanes(const std::vector<std::function<void()>>& lanes, size_t at_most,
              FirstFailure& failure, const Cancellation& cancellation) {
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next++; i < lanes.size(); i = next++) {
      try {
        cancellation.ThrowIfCancelled();
        lanes[i]();
      } catch (...) {
        failure.Record(std::current_exception());
      }
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < std::min(std::max<size_t>(at_most, 1), lanes.size()); ++i) {
    try {
      threads.emplace_back(work);
    } catch (...) {
      failure.Record(std::current_exception());
    }
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace pgbackup
