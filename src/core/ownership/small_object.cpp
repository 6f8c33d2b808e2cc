#include "core/ownership/small_object.h"

#include "core/base/error.h"
#include "core/pipeline/buffer_sink.h"

namespace pgbackup {

std::optional<std::string> ReadSmallObject(Storage& storage, const std::string& name) {
  constexpr uint64_t kMost = 64 << 10;
  BufferSink buffer(kMost + 1, name);
  try {
    storage.Get(name, buffer, 0, kMost + 1);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kNotFound) return std::nullopt;
    throw;
  }
  return buffer.text().size() > kMost ? std::string() : buffer.text();
}

}  // namespace pgbackup
