// What the tests of codecs share: whole texts through a chain, and texts of two kinds.
#pragma once

#include <string>

#include "core/manifest/object_names.h"
#include "core/pipeline/codec.h"
#include "pipeline_test_support.h"
#include "storage_test_support.h"

namespace pgbackup {

inline Compression CompressionOf(const char* text) {
  Compression compression;
  EXPECT_TRUE(ParseCompression(text, &compression)) << text;
  return compression;
}

// Writes `text` in pieces of `chunk` bytes and finishes.
inline void WriteInPieces(Sink& sink, const std::string& text, size_t chunk) {
  for (size_t at = 0; at < text.size(); at += chunk)
    sink.Write(AsBytes(std::string_view(text).substr(at, chunk)));
  sink.Finish();
}

inline std::string Encode(const std::string& text, const Compression& compression,
                          size_t chunk = 1 << 20) {
  SinkLog log;
  WriteInPieces(*MakeEncoder(std::make_unique<LoggingSink>(&log), compression), text, chunk);
  EXPECT_EQ(log.finished, 1);
  return log.bytes;
}

// What comes out of a decoder that expects so many bytes; throws what it throws.
inline std::string DecodeSized(const std::string& packed, const std::string& object_name,
                               uint64_t size, size_t chunk = 1 << 20) {
  SinkLog log;
  WriteInPieces(*MakeDecoder(std::make_unique<LoggingSink>(&log), CodecOfObject(object_name),
                             object_name, size),
                packed, chunk);
  EXPECT_EQ(log.finished, 1);
  return log.bytes;
}

// However much that is: a first run counts it.
inline std::string Decode(const std::string& packed, const std::string& object_name,
                          size_t chunk = 1 << 20) {
  SinkLog log;
  const auto decoder = MakeDecoder(std::make_unique<LoggingSink>(&log), CodecOfObject(object_name),
                                   object_name, 1ull << 40);
  try {
    WriteInPieces(*decoder, packed, chunk);
  } catch (const Error& error) {
    // The size is all that can be wrong with good data.
    if (error.detail().find("Its content has ") == std::string::npos) throw;
  }
  return DecodeSized(packed, object_name, log.bytes.size(), chunk);
}

// Text that compresses as rows do.
inline std::string Rows(size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i)
    text += std::to_string(i) + "\t" + std::to_string(i * 7919 % 10007) + "\tsome words of text\n";
  text.resize(size);
  return text;
}

}  // namespace pgbackup
