#include "core/pipeline/hash_sink.h"

namespace pgbackup {

void HashSink::Write(std::span<const std::byte> data) {
  hash_.Update(data);
  size_ += data.size();
  next_->Write(data);
}

void HashSink::Finish() {
  sha256_ = ToHex(hash_.Finish());
  next_->Finish();
}

}  // namespace pgbackup
