#include "core/storage/small_object.h"

#include "core/base/error.h"
#include "core/base/sha256.h"
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

void WriteSmallObject(Storage& storage, const std::string& name, const std::string& text,
                      bool if_absent) {
  PutOptions options;
  options.if_absent = if_absent;
  options.content_type = "application/json";
  options.lock = false;
  const std::unique_ptr<Sink> sink = storage.Put(name, options);
  sink->Write(AsBytes(text));
  sink->Finish();
}

}  // namespace pgbackup
