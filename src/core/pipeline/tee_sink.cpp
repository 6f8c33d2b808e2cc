#include "core/pipeline/tee_sink.h"

namespace pgbackup {

void TeeSink::Write(std::span<const std::byte> data) {
  // The others have queues: they work while the first one does.
  for (const auto& other : others_) other->Write(data);
  first_->Write(data);
}

void TeeSink::Finish() {
  // An object of a copy is never there before the first storage has it.
  first_->Finish();
  for (const auto& other : others_) other->Finish();
}

void TeeSink::Abort() noexcept {
  first_->Abort();
  for (const auto& other : others_) other->Abort();
}

}  // namespace pgbackup
