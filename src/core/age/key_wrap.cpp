#include "core/age/key_wrap.h"

#include <algorithm>

#include "core/base/sha256.h"
#include "shared/ascii.h"

namespace pgbackup {
namespace {

constexpr std::string_view kX25519Info = "age-encryption.org/v1/X25519";
constexpr std::string_view kScryptInfo = "age-encryption.org/v1/scrypt";
constexpr size_t kScryptSaltSize = 16;
constexpr size_t kWrappedSize = FileKey::size() + ChaCha20Poly1305::kTagSize;

std::vector<std::byte> Joined(std::span<const std::byte> one, std::span<const std::byte> other) {
  std::vector<std::byte> both(one.begin(), one.end());
  both.insert(both.end(), other.begin(), other.end());
  return both;
}

// Each wrapping key is used once, so the nonce is all zeros.
std::vector<std::byte> SealFileKey(const SymmetricKey& wrapping, const FileKey& key) {
  std::vector<std::byte> sealed(kWrappedSize);
  ChaCha20Poly1305(wrapping).Seal({}, key, sealed);
  return sealed;
}

std::optional<FileKey> OpenFileKey(const SymmetricKey& wrapping, const Stanza& stanza) {
  FileKey key;
  if (!ChaCha20Poly1305(wrapping).Open({}, stanza.body, key)) return std::nullopt;
  return key;
}

SymmetricKey X25519WrappingKey(const SymmetricKey& shared, const X25519Share& ephemeral,
                               const X25519Share& recipient) {
  return HkdfSha256(shared, Joined(ephemeral, recipient), kX25519Info);
}

SymmetricKey ScryptWrappingKey(std::string_view passphrase, std::span<const std::byte> salt,
                               int work_factor) {
  return Scrypt(passphrase, Joined(AsBytes(kScryptInfo), salt), work_factor);
}

// Decimal, without sign and leading zeros; 0 for anything else or too much.
int ParseWorkFactor(std::string_view text) {
  if (text.empty() || text.size() > 2 || text.front() == '0' ||
      !std::all_of(text.begin(), text.end(), IsDigit))
    return 0;
  int factor = 0;
  for (const char c : text) factor = factor * 10 + (c - '0');
  return factor <= kLargestWorkFactor ? factor : 0;
}

}  // namespace

std::optional<Stanza> WrapForShare(const FileKey& key, const X25519Share& recipient,
                                   Environment& environment) {
  SymmetricKey scalar;
  environment.FillRandom(scalar);
  const std::optional<SymmetricKey> shared = X25519Shared(scalar, recipient);
  if (!shared) return std::nullopt;
  const X25519Share ephemeral = X25519Public(scalar);
  return Stanza{std::string(kX25519Type),
                {ToAgeBase64(ephemeral)},
                SealFileKey(X25519WrappingKey(*shared, ephemeral, recipient), key)};
}

Stanza WrapForPassphrase(const FileKey& key, std::string_view passphrase, int work_factor,
                         Environment& environment) {
  std::array<std::byte, kScryptSaltSize> salt;
  environment.FillRandom(salt);
  return {std::string(kScryptType),
          {ToAgeBase64(salt), std::to_string(work_factor)},
          SealFileKey(ScryptWrappingKey(passphrase, salt, work_factor), key)};
}

std::optional<FileKey> UnwrapX25519(const Stanza& stanza, const SymmetricKey& scalar,
                                    std::string_view name) {
  if (stanza.arguments.size() != 1 || stanza.body.size() != kWrappedSize) ThrowBadHeader(name);
  const auto share = FromAgeBase64(stanza.arguments[0]);
  X25519Share ephemeral;
  if (!share || share->size() != ephemeral.size()) ThrowBadHeader(name);
  std::copy(share->begin(), share->end(), ephemeral.begin());
  const std::optional<SymmetricKey> shared = X25519Shared(scalar, ephemeral);
  if (!shared) ThrowBadHeader(name);
  return OpenFileKey(X25519WrappingKey(*shared, ephemeral, X25519Public(scalar)), stanza);
}

std::optional<FileKey> UnwrapScrypt(const Stanza& stanza, std::string_view passphrase,
                                    std::string_view name) {
  if (stanza.arguments.size() != 2 || stanza.body.size() != kWrappedSize) ThrowBadHeader(name);
  const auto salt = FromAgeBase64(stanza.arguments[0]);
  const int work_factor = ParseWorkFactor(stanza.arguments[1]);
  if (!salt || salt->size() != kScryptSaltSize || work_factor == 0) ThrowBadHeader(name);
  return OpenFileKey(ScryptWrappingKey(passphrase, *salt, work_factor), stanza);
}

}  // namespace pgbackup
