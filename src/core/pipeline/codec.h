// The stages of the pipeline that compress and decompress.
#pragma once

#include <memory>
#include <string>

#include "core/age/encryption.h"
#include "core/pipeline/sink.h"
#include "core/run/compression.h"

namespace pgbackup {

// What compresses into `next`; `next` itself when nothing is to be compressed.
std::unique_ptr<Sink> MakeEncoder(std::unique_ptr<Sink> next, const Compression& compression);

// What decompresses an object of this name into `next`; `next` itself when its name says that it is
// not compressed. It throws kCorrupt when the object is cut off, damaged or followed by something
// else, as far as the codec can tell: bytes that are not compressed are good whatever they are.
std::unique_ptr<Sink> MakeDecoder(std::unique_ptr<Sink> next, const std::string& object_name);

// The same for an object as it is stored: one whose name says that it is encrypted is decrypted
// first. kInvalid when `keys` is null then; they outlive the sink.
std::unique_ptr<Sink> MakeReader(std::unique_ptr<Sink> next, const std::string& object_name,
                                 const DecryptionKeys* keys);

}  // namespace pgbackup
