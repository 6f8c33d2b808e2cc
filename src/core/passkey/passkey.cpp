#include "core/passkey/passkey.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/age/primitives.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/base/utf8.h"

namespace pgbackup {
namespace {

constexpr int kPasskeyLogN = 16;  // 64 MiB, about 0.2 s
constexpr size_t kShortestPasskey = 8;

// Counts characters of UTF-8: every byte but those that continue one.
size_t CharactersOf(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

void CheckPasskey(std::string_view passkey) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  if (ToValidUtf8(passkey) != passkey || std::any_of(passkey.begin(), passkey.end(), is_control))
    throw Error(ErrorKind::kInvalid, "a passkey is one line of text in UTF-8", "",
                "Use letters, digits and what else is on a keyboard.");
  if (CharactersOf(passkey) < kShortestPasskey)
    throw Error(ErrorKind::kInvalid,
                fmt::format("the passkey has fewer than {} characters", kShortestPasskey),
                "Whoever sees the hash could find it by trying.", "Use a few words.");
}

}  // namespace

std::string HashPasskey(std::string_view passkey, Environment& environment) {
  CheckPasskey(passkey);
  PasskeyHash made;
  environment.FillRandom(made.salt);
  const SymmetricKey hash = Scrypt(passkey, made.salt, kPasskeyLogN);
  return fmt::format("scrypt$ln={},r=8,p=1${}${}", kPasskeyLogN, ToHex(made.salt), ToHex(hash));
}

bool IsPasskey(std::string_view passkey, const PasskeyHash& hash) {
  return AreEqual(Scrypt(passkey, hash.salt, hash.log_n), hash.hash);
}

}  // namespace pgbackup
