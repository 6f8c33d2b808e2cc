// Size and SHA-256 of the bytes that pass.
#pragma once

#include <cstdint>
#include <memory>

#include "core/base/sha256.h"
#include "core/pipeline/sink.h"

namespace pgbackup {

class HashSink final : public Sink {
 public:
  explicit HashSink(std::unique_ptr<Sink> next) : next_(std::move(next)) {}

  void Write(std::span<const std::byte> data) override;
  void Finish() override;
  void Abort() noexcept override { next_->Abort(); }

  uint64_t size() const noexcept { return size_; }
  // Lower-case hexadecimal; valid after Finish.
  const std::string& sha256() const noexcept { return sha256_; }

 private:
  std::unique_ptr<Sink> next_;
  Sha256 hash_;
  uint64_t size_ = 0;
  std::string sha256_;
};

}  // namespace pgbackup
