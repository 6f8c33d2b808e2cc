#include "core/pipeline/count_sink.h"

namespace pgbackup {

void CountSink::Write(std::span<const std::byte> data) {
  next_->Write(data);
  bytes_ += data.size();
  total_->fetch_add(data.size(), std::memory_order_relaxed);
}

}  // namespace pgbackup
