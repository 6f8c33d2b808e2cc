// Holds decoded content to the size that the manifest records.
//
// What is stored may come from anyone who can write to the storage, and a few bytes can decompress
// to terabytes. So this stage stands behind every decoder (codec.h): nothing beyond the recorded
// size reaches the next sink, whatever the codec.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/pipeline/sink.h"

namespace pgbackup {

class ContentSizeSink final : public Sink {
 public:
  // `name` is the object's, for messages.
  ContentSizeSink(std::unique_ptr<Sink> next, std::string name, uint64_t size)
      : next_(std::move(next)), name_(std::move(name)), expected_(size) {}

  // Throws kCorrupt as soon as more than `size` bytes come, before they are passed on.
  void Write(std::span<const std::byte> data) override;
  // Throws kCorrupt unless exactly `size` bytes came.
  void Finish() override;
  void Abort() noexcept override { next_->Abort(); }

 private:
  std::unique_ptr<Sink> next_;
  std::string name_;
  uint64_t expected_;
  uint64_t size_ = 0;
};

}  // namespace pgbackup
