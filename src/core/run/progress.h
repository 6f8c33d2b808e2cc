// How far a run is: written by its lanes, read by whoever reports.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/environment.h"
#include "core/run/table_progress.h"

namespace pgbackup {

class Progress {
 public:
  std::atomic<uint64_t> raw_bytes{0};     // uncompressed
  std::atomic<uint64_t> stored_bytes{0};  // compressed, to or from the storage
  std::atomic<uint64_t> total_bytes{0};   // an estimate of raw_bytes at the end; 0 if unknown
  TableProgress tables;

  // When the bytes began to flow, and when all of them had.
  struct DataPhase {
    std::optional<WallTime> began, ended;
  };

  void SetPhase(std::string phase) {
    const std::lock_guard lock(mutex_);
    phase_ = std::move(phase);
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
  DataPhase data_;
};

}  // namespace pgbackup
