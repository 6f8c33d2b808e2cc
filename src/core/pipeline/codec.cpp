#include "core/pipeline/codec.h"

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

std::unique_ptr<Sink> MakeDecoder(std::unique_ptr<Sink> next, Codec codec,
                                  const std::string& object_name, uint64_t content_size) {
  next = std::make_unique<ContentSizeSink>(std::move(next), object_name, content_size);
  switch (codec) {
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

}  // namespace pgbackup
