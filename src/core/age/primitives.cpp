#include "core/age/primitives.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <string>

#include "core/base/error.h"

namespace pgbackup {
namespace {

struct FreeKey {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
struct FreeKeyContext {
  void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
};
struct FreeKdf {
  void operator()(EVP_KDF* kdf) const noexcept { EVP_KDF_free(kdf); }
};
struct FreeKdfContext {
  void operator()(EVP_KDF_CTX* context) const noexcept { EVP_KDF_CTX_free(context); }
};
using KeyPointer = std::unique_ptr<EVP_PKEY, FreeKey>;

void Require(bool good, const char* what) {
  if (!good) throw Error(ErrorKind::kInternal, std::string("OpenSSL failed: ") + what);
}

const unsigned char* Raw(const std::byte* data) {
  return reinterpret_cast<const unsigned char*>(data);
}
unsigned char* Raw(std::byte* data) {
  return reinterpret_cast<unsigned char*>(data);
}

KeyPointer PrivateKey(const SymmetricKey& scalar) {
  KeyPointer key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, Raw(scalar.data()),
                                              SymmetricKey::size()));
  Require(key != nullptr, "X25519 private key");
  return key;
}

}  // namespace

X25519Share X25519Public(const SymmetricKey& scalar) {
  const KeyPointer key = PrivateKey(scalar);
  X25519Share share;
  size_t length = share.size();
  Require(EVP_PKEY_get_raw_public_key(key.get(), Raw(share.data()), &length) == 1 &&
              length == share.size(),
          "X25519 public key");
  return share;
}

std::optional<SymmetricKey> X25519Shared(const SymmetricKey& scalar, const X25519Share& share) {
  const KeyPointer own = PrivateKey(scalar);
  const KeyPointer other(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, Raw(share.data()), share.size()));
  Require(other != nullptr, "X25519 share");
  const std::unique_ptr<EVP_PKEY_CTX, FreeKeyContext> context(EVP_PKEY_CTX_new(own.get(), nullptr));
  Require(context != nullptr && EVP_PKEY_derive_init(context.get()) == 1 &&
              EVP_PKEY_derive_set_peer(context.get(), other.get()) == 1,
          "X25519");
  SymmetricKey shared;
  size_t length = SymmetricKey::size();
  // Of all that is set up right, only a share of low order makes it fail.
  if (EVP_PKEY_derive(context.get(), Raw(shared.data()), &length) != 1) return std::nullopt;
  const std::span<const std::byte> bytes = shared;
  if (std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; }))
    return std::nullopt;
  return shared;
}

SymmetricKey HkdfSha256(std::span<const std::byte> secret, std::span<const std::byte> salt,
                        std::string_view info) {
  const std::unique_ptr<EVP_KDF, FreeKdf> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  Require(kdf != nullptr, "HKDF");
  const std::unique_ptr<EVP_KDF_CTX, FreeKdfContext> context(EVP_KDF_CTX_new(kdf.get()));
  Require(context != nullptr, "HKDF");
  std::string digest = "SHA256";
  // The library only reads what these point to. It takes no salt of length 0; none is the same.
  std::vector<OSSL_PARAM> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<std::byte*>(secret.data()),
                                        secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, const_cast<char*>(info.data()),
                                        info.size())};
  if (!salt.empty())
    parameters.push_back(OSSL_PARAM_construct_octet_string(
        OSSL_KDF_PARAM_SALT, const_cast<std::byte*>(salt.data()), salt.size()));
  parameters.push_back(OSSL_PARAM_construct_end());
  SymmetricKey key;
  Require(
      EVP_KDF_derive(context.get(), Raw(key.data()), SymmetricKey::size(), parameters.data()) == 1,
      "HKDF");
  return key;
}

HmacTag HmacSha256(const SymmetricKey& key, std::span<const std::byte> message) {
  HmacTag tag;
  unsigned length = 0;
  Require(HMAC(EVP_sha256(), key.data(), static_cast<int>(SymmetricKey::size()),
               Raw(message.data()), message.size(), Raw(tag.data()), &length) != nullptr,
          "HMAC");
  return tag;
}

SymmetricKey Scrypt(std::string_view passphrase, std::span<const std::byte> salt, int log_n) {
  const uint64_t n = uint64_t{1} << log_n;
  const uint64_t memory = (n + 32) * 1024 + (1 << 20);
  SymmetricKey key;
  Require(EVP_PBE_scrypt(passphrase.data(), passphrase.size(), Raw(salt.data()), salt.size(), n, 8,
                         1, memory, Raw(key.data()), SymmetricKey::size()) == 1,
          "scrypt");
  return key;
}

bool AreEqual(std::span<const std::byte> one, std::span<const std::byte> other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

void ChaCha20Poly1305::FreeContext::operator()(evp_cipher_ctx_st* context) const noexcept {
  EVP_CIPHER_CTX_free(context);
}

ChaCha20Poly1305::ChaCha20Poly1305(const SymmetricKey& key)
    : key_(key), context_(EVP_CIPHER_CTX_new()) {
  Require(context_ != nullptr, "ChaCha20-Poly1305");
}
ChaCha20Poly1305::~ChaCha20Poly1305() = default;

void ChaCha20Poly1305::Seal(const Nonce& nonce, std::span<const std::byte> message,
                            std::span<std::byte> out) {
  EVP_CIPHER_CTX* context = context_.get();
  int length = 0;
  int rest = 0;
  Require(EVP_EncryptInit_ex(context, EVP_chacha20_poly1305(), nullptr, Raw(key_.data()),
                             Raw(nonce.data())) == 1 &&
              EVP_EncryptUpdate(context, Raw(out.data()), &length, Raw(message.data()),
                                static_cast<int>(message.size())) == 1 &&
              EVP_EncryptFinal_ex(context, Raw(out.data()) + length, &rest) == 1 &&
              EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize,
                                  Raw(out.data()) + message.size()) == 1,
          "ChaCha20-Poly1305");
}

bool ChaCha20Poly1305::Open(const Nonce& nonce, std::span<const std::byte> sealed,
                            std::span<std::byte> out) {
  if (sealed.size() < kTagSize) return false;
  const size_t size = sealed.size() - kTagSize;
  EVP_CIPHER_CTX* context = context_.get();
  std::array<std::byte, kTagSize> tag;
  std::copy_n(sealed.begin() + static_cast<std::ptrdiff_t>(size), kTagSize, tag.begin());
  int length = 0;
  int rest = 0;
  Require(EVP_DecryptInit_ex(context, EVP_chacha20_poly1305(), nullptr, Raw(key_.data()),
                             Raw(nonce.data())) == 1 &&
              EVP_DecryptUpdate(context, Raw(out.data()), &length, Raw(sealed.data()),
                                static_cast<int>(size)) == 1 &&
              EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) == 1,
          "ChaCha20-Poly1305");
  return EVP_DecryptFinal_ex(context, Raw(out.data()) + length, &rest) == 1;
}

}  // namespace pgbackup
