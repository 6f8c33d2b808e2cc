// How far a run is: written by its lanes, read by whoever reports.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace pgbackup {

class Progress {
 public:
  std::atomic<uint64_t> raw_bytes{0};     // uncompressed
  std::atomic<uint64_t> stored_bytes{0};  // compressed, to or from the storage
  std::atomic<uint64_t> total_bytes{0};   // an estimate of raw_bytes at the end; 0 if unknown

  void SetPhase(std::string phase) {
    const std::lock_guard lock(mutex_);
    phase_ = std::move(phase);
  }
  std::string phase() const {
    const std::lock_guard lock(mutex_);
    return phase_;
  }

 private:
  mutable std::mutex mutex_;
  std::string phase_ = "preparing";
};

}  // namespace pgbackup
