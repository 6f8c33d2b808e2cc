#include "core/manifest/stored_object.h"

#include <fmt/format.h>

#include "core/age/age_decrypt_sink.h"
#include "core/base/error.h"
#include "core/manifest/object_names.h"
#include "core/pipeline/codec.h"
#include "core/pipeline/count_sink.h"
#include "core/pipeline/null_sink.h"
#include "core/pipeline/verify_sink.h"

namespace pgbackup {

void ReadStoredObject(Storage& storage, const std::string& folder, const ManifestObject& object,
                      Sink& to) {
  for (const Segment& segment : object.segments) {
    const std::string name = fmt::format("{}/{}", folder, segment.name);
    VerifySink verify(to, name, segment.size, segment.sha256);
    try {
      storage.Get(name, verify);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kNotFound) throw;
      throw Error(ErrorKind::kCorrupt, fmt::format("object \"{}\" of the backup is missing", name),
                  error.message());
    }
    verify.Finish();
  }
  to.Finish();
}

void CheckIsUndamaged(Storage& storage, const std::string& folder, const ManifestObject& object) {
  NullSink nothing;
  ReadStoredObject(storage, folder, object, nothing);
}

std::unique_ptr<Sink> MakeReader(std::unique_ptr<Sink> next, const std::string& object_name,
                                 uint64_t content_size, const DecryptionKeys* keys) {
  std::unique_ptr<Sink> decoder =
      MakeDecoder(std::move(next), CodecOfObject(object_name), object_name, content_size);
  if (!IsEncryptedObject(object_name)) return decoder;
  if (keys == nullptr)
    throw Error(
        ErrorKind::kInvalid,
        fmt::format("object \"{}\" is encrypted, its manifest does not say how", object_name));
  return std::make_unique<AgeDecryptSink>(std::move(decoder), object_name, *keys);
}

std::unique_ptr<Sink> ContentChain(std::unique_ptr<Sink> next, const ManifestObject& object,
                                   Progress& progress) {
  return std::make_unique<CountSink>(
      MakeReader(std::make_unique<CountSink>(std::move(next), &progress.raw_bytes), object.name,
                 object.raw_size, object.keys.get()),
      &progress.stored_bytes);
}

}  // namespace pgbackup
