// SHA-256 (FIPS 180-4) over a stream, on OpenSSL's EVP.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace pgbackup {

using Sha256Digest = std::array<std::byte, 32>;

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(std::span<const std::byte> data);
  // The digest of all bytes so far. Called once, last.
  Sha256Digest Finish();

  static Sha256Digest Of(std::span<const std::byte> data);
  static Sha256Digest Of(std::string_view text);

 private:
  struct FreeContext {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
};

// Lower-case hexadecimal.
std::string ToHex(std::span<const std::byte> data);

// The bytes of a text, without copying.
inline std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace pgbackup
