#include "core/base/sha256.h"

#include <openssl/evp.h>

#include "core/base/error.h"

namespace pgbackup {

void Sha256::FreeContext::operator()(evp_md_ctx_st* context) const noexcept {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
    throw Error(ErrorKind::kInternal, "could not start a SHA-256 digest");
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::Update(std::span<const std::byte> data) {
  if (EVP_DigestUpdate(context_.get(), data.data(), data.size()) != 1)
    throw Error(ErrorKind::kInternal, "could not update a SHA-256 digest");
}

Sha256Digest Sha256::Finish() {
  Sha256Digest digest;
  unsigned length = 0;
  if (EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()),
                         &length) != 1)
    throw Error(ErrorKind::kInternal, "could not finish a SHA-256 digest");
  return digest;
}

Sha256Digest Sha256::Of(std::span<const std::byte> data) {
  Sha256 hash;
  hash.Update(data);
  return hash.Finish();
}

Sha256Digest Sha256::Of(std::string_view text) {
  return Of(AsBytes(text));
}

std::string ToHex(std::span<const std::byte> data) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(data.size() * 2);
  for (const std::byte value : data) {
    hex.push_back(kDigits[std::to_integer<unsigned>(value) >> 4]);
    hex.push_back(kDigits[std::to_integer<unsigned>(value) & 15]);
  }
  return hex;
}

}  // namespace pgbackup
