#include "core/pipeline/content_size_sink.h"

#include <fmt/format.h>

#include "core/pipeline/damaged_object.h"

namespace pgbackup {

void ContentSizeSink::Write(std::span<const std::byte> data) {
  if (data.size() > expected_ - size_)
    throw DamagedObject(
        name_, fmt::format("Its content is larger than the {} bytes that the manifest records.",
                           expected_));
  size_ += data.size();
  next_->Write(data);
}

void ContentSizeSink::Finish() {
  if (size_ != expected_)
    throw DamagedObject(
        name_, fmt::format("Its content has {} bytes, the manifest records {}.", size_, expected_));
  next_->Finish();
}

}  // namespace pgbackup
