#include "shared/passkey_hash.h"

#include <span>

#include "shared/ascii.h"

namespace pgbackup {
namespace {

constexpr int kLeastLogN = 14;
constexpr int kMostLogN = 20;  // a gigabyte of memory

bool TakeText(std::string_view* rest, std::string_view text) noexcept {
  if (rest->substr(0, text.size()) != text) return false;
  rest->remove_prefix(text.size());
  return true;
}

bool TakeLogN(std::string_view* rest, int* log_n) noexcept {
  if (rest->size() < 2 || !IsDigit((*rest)[0]) || !IsDigit((*rest)[1])) return false;
  *log_n = ((*rest)[0] - '0') * 10 + ((*rest)[1] - '0');
  rest->remove_prefix(2);
  return *log_n >= kLeastLogN && *log_n <= kMostLogN;
}

bool TakeHex(std::string_view* rest, std::span<std::byte> bytes) noexcept {
  if (rest->size() < bytes.size() * 2) return false;
  for (std::byte& byte : bytes) {
    const int high = HexDigit((*rest)[0]);
    const int low = HexDigit((*rest)[1]);
    if (high < 0 || low < 0) return false;
    byte = static_cast<std::byte>(high * 16 + low);
    rest->remove_prefix(2);
  }
  return true;
}

}  // namespace

bool ParsePasskeyHash(std::string_view text, PasskeyHash* hash) noexcept {
  return TakeText(&text, "scrypt$ln=") && TakeLogN(&text, &hash->log_n) &&
         TakeText(&text, ",r=8,p=1$") && TakeHex(&text, hash->salt) && TakeText(&text, "$") &&
         TakeHex(&text, hash->hash) && text.empty();
}

}  // namespace pgbackup
