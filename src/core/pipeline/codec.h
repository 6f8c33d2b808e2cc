// The stages of the pipeline that compress and decompress.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/pipeline/sink.h"
#include "shared/compression.h"

namespace pgbackup {

// What compresses into `next`; `next` itself when nothing is to be compressed.
std::unique_ptr<Sink> MakeEncoder(std::unique_ptr<Sink> next, const Compression& compression);

// What decompresses an object, whose name is for messages, into `next`, which gets `content_size`
// bytes and never one more (content_size_sink.h), whatever the codec. It throws kCorrupt when the
// content has another size, and when the object is cut off, damaged or followed by something else,
// as far as the codec can tell: bytes that are not compressed are good whatever they are. Takes no
// more memory than any encoder of this program makes a decoder take.
std::unique_ptr<Sink> MakeDecoder(std::unique_ptr<Sink> next, Codec codec,
                                  const std::string& object_name, uint64_t content_size);

}  // namespace pgbackup
