// Writes the same bytes to several sinks, of which the first decides.
//
// What the first one throws passes through, as from any sink. The others keep their trouble to
// themselves: their calls throw nothing, and their Finish may return before their result is
// durable.
#pragma once

#include <memory>
#include <vector>

#include "core/pipeline/sink.h"

namespace pgbackup {

class TeeSink final : public Sink {
 public:
  TeeSink(std::unique_ptr<Sink> first, std::vector<std::unique_ptr<Sink>> others)
      : first_(std::move(first)), others_(std::move(others)) {}
  ~TeeSink() override = default;  // each of them aborts itself

  void Write(std::span<const std::byte> data) override;
  void Finish() override;
  void Abort() noexcept override;

 private:
  std::unique_ptr<Sink> first_;
  std::vector<std::unique_ptr<Sink>> others_;
};

}  // namespace pgbackup
