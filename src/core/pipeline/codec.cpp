#include "core/pipeline/codec.h"

#include <fmt/format.h>

#include "core/age/age_decrypt_sink.h"
#include "core/base/error.h"
#include "core/manifest/object_names.h"
#include "core/pipeline/content_size_sink.h"
#include "core/pipeline/gzip_decode_sink.h"
#include "core/pipeline/gzip_sink.h"
#include "core/pipeline/lz4_decode_sink.h"
#include "core/pipeline/lz4_sink.h"
#include "core/pipeline/zstd_decode_sink.h"
#include "core/pipeline/zstd_sink.h"

namespace pgbackup {

std::unique_ptr<Sink> MakeEncoder(std::unique_ptr<Sink> next, const Compression& compression) {
  switch (compression.codec) {
    case Codec::kZstd:
      return std::make_unique<ZstdSink>(std::move(next), compression);
    case Codec::kGzip:
      return std::make_unique<GzipSink>(std::move(next), compression);
    case Codec::kLz4:
      return std::make_unique<Lz4Sink>(std::move(next), compression);
    case Codec::kNone:
      break;
  }
  return next;
}

std::unique_ptr<Sink> MakeDecoder(std::unique_ptr<Sink> next, const std::string& object_name,
                                  uint64_t content_size) {
  next = std::make_unique<ContentSizeSink>(std::move(next), object_name, content_size);
  switch (CodecOfObject(object_name)) {
    case Codec::kZstd:
      return std::make_unique<ZstdDecodeSink>(std::move(next), object_name);
    case Codec::kGzip:
      return std::make_unique<GzipDecodeSink>(std::move(next), object_name);
    case Codec::kLz4:
      return std::make_unique<Lz4DecodeSink>(std::move(next), object_name);
    case Codec::kNone:
      break;
  }
  return next;
}

std::unique_ptr<Sink> MakeReader(std::unique_ptr<Sink> next, const std::string& object_name,
                                 uint64_t content_size, const DecryptionKeys* keys) {
  std::unique_ptr<Sink> decoder = MakeDecoder(std::move(next), object_name, content_size);
  if (!IsEncryptedObject(object_name)) return decoder;
  if (keys == nullptr)
    throw Error(
        ErrorKind::kInvalid,
        fmt::format("object \"{}\" is encrypted, its manifest does not say how", object_name));
  return std::make_unique<AgeDecryptSink>(std::move(decoder), object_name, *keys);
}

}  // namespace pgbackup
