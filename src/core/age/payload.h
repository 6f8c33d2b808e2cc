// The payload of an age file (age-encryption.org/v1, "Payload"): chunks of 64 KiB, numbered, the
// last one marked, each sealed on its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/age/primitives.h"
#include "core/age/secret.h"

namespace pgbackup {

inline constexpr size_t kChunkSize = 64 << 10;  // of content
inline constexpr size_t kSealedChunkSize = kChunkSize + ChaCha20Poly1305::kTagSize;
inline constexpr size_t kPayloadNonceSize = 16;  // what the payload begins with

enum class ChunkPlace { kInside, kLast };

// Seals and opens the chunks of one file, in order.
class ChunkCipher {
 public:
  ChunkCipher(const FileKey& key, std::span<const std::byte, kPayloadNonceSize> nonce);

  // Seals the next chunk; `out` has room for it and a tag.
  void Seal(ChunkPlace place, std::span<const std::byte> chunk, std::span<std::byte> out);

  // Opens the next chunk. False when it is not that one: then the call may be repeated.
  bool Open(ChunkPlace place, std::span<const std::byte> sealed, std::span<std::byte> out);

  uint64_t done() const noexcept { return done_; }  // chunks

 private:
  ChaCha20Poly1305::Nonce NonceOf(ChunkPlace place) const;

  ChaCha20Poly1305 cipher_;
  uint64_t done_ = 0;
};

}  // namespace pgbackup
