#include "core/age/payload.h"

namespace pgbackup {

ChunkCipher::ChunkCipher(const FileKey& key, std::span<const std::byte, kPayloadNonceSize> nonce)
    : cipher_(HkdfSha256(key, nonce, "payload")) {}

// The number in eleven bytes, then whether it is the last.
ChaCha20Poly1305::Nonce ChunkCipher::NonceOf(ChunkPlace place) const {
  ChaCha20Poly1305::Nonce nonce{};
  for (size_t i = 0; i < sizeof done_; ++i)
    nonce[10 - i] = static_cast<std::byte>((done_ >> (8 * i)) & 255);
  nonce[11] = place == ChunkPlace::kLast ? std::byte{1} : std::byte{0};
  return nonce;
}

void ChunkCipher::Seal(ChunkPlace place, std::span<const std::byte> chunk,
                       std::span<std::byte> out) {
  cipher_.Seal(NonceOf(place), chunk, out);
  ++done_;
}

bool ChunkCipher::Open(ChunkPlace place, std::span<const std::byte> sealed,
                       std::span<std::byte> out) {
  if (!cipher_.Open(NonceOf(place), sealed, out)) return false;
  ++done_;
  return true;
}

}  // namespace pgbackup
