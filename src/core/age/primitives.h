// The cryptographic primitives of age v1, on OpenSSL 3. Each throws kInternal when the library
// fails.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/age/secret.h"

struct evp_cipher_ctx_st;

namespace pgbackup {

using X25519Share = std::array<std::byte, 32>;  // a public key (RFC 7748)
using HmacTag = std::array<std::byte, 32>;

// The public key of a scalar.
X25519Share X25519Public(const SymmetricKey& scalar);

// What both sides compute; nullopt for a share of low order, which would make it all zeros.
std::optional<SymmetricKey> X25519Shared(const SymmetricKey& scalar, const X25519Share& share);

// RFC 5869 with SHA-256.
SymmetricKey HkdfSha256(std::span<const std::byte> secret, std::span<const std::byte> salt,
                        std::string_view info);

HmacTag HmacSha256(const SymmetricKey& key, std::span<const std::byte> message);

// RFC 7914 with r = 8, p = 1 and N = 2^log_n; takes 1 KiB × N of memory.
SymmetricKey Scrypt(std::string_view passphrase, std::span<const std::byte> salt, int log_n);

// Whether both are equal, in a time that does not depend on where they differ.
bool AreEqual(std::span<const std::byte> one, std::span<const std::byte> other);

// ChaCha20-Poly1305 (RFC 8439) without associated data, one key, message by message.
class ChaCha20Poly1305 {
 public:
  static constexpr size_t kTagSize = 16;
  using Nonce = std::array<std::byte, 12>;

  explicit ChaCha20Poly1305(const SymmetricKey& key);
  ~ChaCha20Poly1305();
  ChaCha20Poly1305(const ChaCha20Poly1305&) = delete;
  ChaCha20Poly1305& operator=(const ChaCha20Poly1305&) = delete;

  // `out` has room for the message and a tag.
  void Seal(const Nonce& nonce, std::span<const std::byte> message, std::span<std::byte> out);

  // `sealed` ends with the tag, `out` has room for the rest. False when it does not hold; then
  // `out` means nothing.
  bool Open(const Nonce& nonce, std::span<const std::byte> sealed, std::span<std::byte> out);

 private:
  struct FreeContext {
    void operator()(evp_cipher_ctx_st* context) const noexcept;
  };
  const SymmetricKey key_;
  std::unique_ptr<evp_cipher_ctx_st, FreeContext> context_;
};

}  // namespace pgbackup
