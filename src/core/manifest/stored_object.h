// Reading back what a backup stored.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/age/encryption.h"
#include "core/manifest/manifest.h"
#include "core/pipeline/sink.h"
#include "core/progress/progress.h"
#include "core/storage/storage.h"

namespace pgbackup {

// Writes the stored bytes of `object`, all segments in order, into `to` and finishes it only when
// size and SHA-256 of every segment are those of the manifest; throws kCorrupt otherwise. The
// caller aborts `to` when this throws.
void ReadStoredObject(Storage& storage, const std::string& folder, const ManifestObject& object,
                      Sink& to);

// Throws kCorrupt unless the stored bytes of `object` are those that were stored. For content that
// a program or the server does not like, before they are blamed.
void CheckIsUndamaged(Storage& storage, const std::string& folder, const ManifestObject& object);

// What decodes the stored bytes of an object of this name into `next`, as MakeDecoder says; one
// whose name says that it is encrypted is decrypted first. kInvalid when `keys` is null then; they
// outlive the sink.
std::unique_ptr<Sink> MakeReader(std::unique_ptr<Sink> next, const std::string& object_name,
                                 uint64_t content_size, const DecryptionKeys* keys);

// What takes the stored bytes of `object` and writes its content into `next`, counting both in
// `progress`. Throws kCorrupt as soon as more than the object's raw_size comes out, and at the end
// when less did.
std::unique_ptr<Sink> ContentChain(std::unique_ptr<Sink> next, const ManifestObject& object,
                                   Progress& progress);

}  // namespace pgbackup
