#include "core/pipeline/buffer_sink.h"

#include <fmt/format.h>

#include "core/base/error.h"

namespace pgbackup {

void BufferSink::Write(std::span<const std::byte> data) {
  if (data.size() > limit_ - text_.size())
    throw Error(ErrorKind::kInvalid, fmt::format("{} is larger than {} bytes", what_, limit_));
  text_.append(reinterpret_cast<const char*>(data.data()), data.size());
}

}  // namespace pgbackup
