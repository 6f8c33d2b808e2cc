// Counts the bytes that pass, into a counter others may read at the same time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "core/pipeline/sink.h"

namespace pgbackup {

class CountSink final : public Sink {
 public:
  // Adds to `*total` (shared with other lanes, outlives the sink) as well as to bytes().
  CountSink(std::unique_ptr<Sink> next, std::atomic<uint64_t>* total)
      : next_(std::move(next)), total_(total) {}

  void Write(std::span<const std::byte> data) override;
  void Finish() override { next_->Finish(); }
  void Abort() noexcept override { next_->Abort(); }

  uint64_t bytes() const noexcept { return bytes_; }

 private:
  std::unique_ptr<Sink> next_;
  std::atomic<uint64_t>* total_;
  uint64_t bytes_ = 0;
};

}  // namespace pgbackup
