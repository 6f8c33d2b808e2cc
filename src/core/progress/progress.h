// How far a run is: written by its lanes, read by whoever reports.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "core/base/environment.h"
#include "core/progress/table_progress.h"

namespace pgbackup {

class Progress {
 public:
  std::atomic<uint64_t> raw_bytes{0};     // uncompressed
  std::atomic<uint64_t> stored_bytes{0};  // compressed, to or from the storage
  std::atomic<uint64_t> total_bytes{0};   // an estimate of raw_bytes at the end; 0 if unknown
  // What is done without bytes: phases, and what the server is seen to do (server_work.h).
  std::atomic<uint64_t> steps{0};
  // How often a session of the run was seen at work in the server.
  std::atomic<uint64_t> sights_of_work{0};
  TableProgress tables;

  // How far the run is, as far as a moment later it is further.
  struct Mark {
    uint64_t raw_bytes = 0, stored_bytes = 0, steps = 0;
    bool has_own_limit = false;
    bool operator==(const Mark&) const = default;
  };

  // The same, and also a moment later for a run that was seen at work meanwhile.
  std::pair<Mark, uint64_t> sign_of_life() const { return {mark(), sights_of_work.load()}; }

  // When the bytes began to flow, and when all of them had.
  struct DataPhase {
    std::optional<WallTime> began, ended;
  };

  // `has_own_limit`: something else than pgbackup.stall_timeout ends the phase when it takes too
  // long.
  void SetPhase(std::string phase, bool has_own_limit = false) {
    const std::lock_guard lock(mutex_);
    phase_ = std::move(phase);
    has_own_limit_ = has_own_limit;
    ++steps;
  }
  Mark mark() const {
    const std::lock_guard lock(mutex_);
    return {raw_bytes, stored_bytes, steps, has_own_limit_};
  }
  std::string phase() const {
    const std::lock_guard lock(mutex_);
    return phase_;
  }
  void BeginData(WallTime now) {
    const std::lock_guard lock(mutex_);
    data_ = {now, std::nullopt};
  }
  // From now on the total is no estimate.
  void EndData(WallTime now) {
    const std::lock_guard lock(mutex_);
    data_.ended = now;
    total_bytes = raw_bytes.load();
  }
  DataPhase data() const {
    const std::lock_guard lock(mutex_);
    return data_;
  }

 private:
  mutable std::mutex mutex_;
  std::string phase_ = "preparing";
  bool has_own_limit_ = false;
  DataPhase data_;
};

}  // namespace pgbackup
