// Takes everything and keeps nothing.
#pragma once

#include "core/pipeline/sink.h"

namespace pgbackup {

class NullSink final : public Sink {
 public:
  void Write(std::span<const std::byte>) override {}
  void Finish() override {}
  void Abort() noexcept override {}
};

}  // namespace pgbackup
