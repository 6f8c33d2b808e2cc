#include "core/restore/load/schedule_runner.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace pgbackup {
namespace {

class Runner {
 public:
  Runner(RestoreSchedule& schedule, const std::function<void(size_t)>& task,
         const std::function<void(size_t)>& first_open, FirstFailure& failure,
         const Cancellation& cancellation)
      : schedule_(schedule),
        task_(task),
        first_open_(first_open),
        failure_(failure),
        cancellation_(cancellation) {}

  // One lane's work. A lane without a task waits for the end of another one's, which may make tasks
  // ready; as long as tasks are open, some lane works on one.
  void Work() {
    std::unique_lock lock(mutex_);
    while (!stopped_ && !schedule_.AllDone()) {
      const std::vector<size_t> ready = schedule_.Ready();
      if (ready.empty()) {
        changed_.wait(lock);
        continue;
      }
      schedule_.Begin(ready.front());
      lock.unlock();
      const bool succeeded = Try(ready.front());
      lock.lock();
      if (succeeded)
        schedule_.Done(ready.front());
      else
        stopped_ = true;
      Report();
      changed_.notify_all();
    }
  }

  void Report() {
    if (!schedule_.AllDone()) first_open_(schedule_.FirstOpen());
  }

 private:
  bool Try(size_t task) {
    try {
      cancellation_.ThrowIfCancelled();
      task_(task);
      return true;
    } catch (...) {
      failure_.Record(std::current_exception());
      return false;
    }
  }

  RestoreSchedule& schedule_;
  const std::function<void(size_t)>& task_;
  const std::function<void(size_t)>& first_open_;
  FirstFailure& failure_;
  const Cancellation& cancellation_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
};

}  // namespace

void RunSchedule(RestoreSchedule& schedule, size_t lanes, const std::function<void(size_t)>& task,
                 const std::function<void(size_t)>& first_open, FirstFailure& failure,
                 const Cancellation& cancellation) {
  Runner runner(schedule, task, first_open, failure, cancellation);
  runner.Report();
  std::vector<std::thread> threads;
  for (size_t i = 0; i < std::max<size_t>(lanes, 1); ++i) {
    try {
      threads.emplace_back([&runner] { runner.Work(); });
    } catch (...) {
      failure.Record(std::current_exception());
    }
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace pgbackup
