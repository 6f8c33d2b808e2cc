// Keeps a small stream in memory: a manifest, a schema archive.
#pragma once

#include <string>

#include "core/pipeline/sink.h"

namespace pgbackup {

class BufferSink final : public Sink {
 public:
  // Throws kInvalid with `what` in the message when more than `limit` bytes come.
  BufferSink(size_t limit, std::string what) : limit_(limit), what_(std::move(what)) {}

  void Write(std::span<const std::byte> data) override;
  void Finish() override {}
  void Abort() noexcept override { text_.clear(); }

  const std::string& text() const noexcept { return text_; }

 private:
  size_t limit_;
  std::string what_;
  std::string text_;
};

}  // namespace pgbackup
