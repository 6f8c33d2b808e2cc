// Keys and passphrases: bytes that are wiped before their memory is given back.
#pragma once

#include <openssl/crypto.h>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace pgbackup {

template <size_t kSize>
class SecretArray {
 public:
  SecretArray() = default;
  ~SecretArray() { OPENSSL_cleanse(bytes_.data(), kSize); }
  SecretArray(const SecretArray&) = default;
  SecretArray& operator=(const SecretArray&) = default;

  std::byte* data() noexcept { return bytes_.data(); }
  const std::byte* data() const noexcept { return bytes_.data(); }
  static constexpr size_t size() noexcept { return kSize; }
  operator std::span<std::byte>() noexcept { return bytes_; }
  operator std::span<const std::byte>() const noexcept { return bytes_; }

 private:
  std::array<std::byte, kSize> bytes_{};
};

using FileKey = SecretArray<16>;
using SymmetricKey = SecretArray<32>;  // of ChaCha20-Poly1305, or an X25519 scalar

// A text that is a secret, such as a passphrase.
class SecretText {
 public:
  explicit SecretText(std::string_view text) : characters_(text.begin(), text.end()) {}
  ~SecretText() { OPENSSL_cleanse(characters_.data(), characters_.size()); }
  SecretText(const SecretText&) = default;
  SecretText(SecretText&&) = default;
  SecretText& operator=(const SecretText&) = delete;

  std::string_view view() const noexcept { return {characters_.data(), characters_.size()}; }

 private:
  std::vector<char> characters_;
};

}  // namespace pgbackup
