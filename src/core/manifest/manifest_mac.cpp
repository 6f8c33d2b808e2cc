#include "core/manifest/manifest_mac.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <optional>

#include "core/age/primitives.h"
#include "core/base/base64.h"
#include "core/base/config_lines.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/base/small_file.h"
#include "core/base/timestamp.h"

namespace pgbackup {
namespace {

// What a signed manifest ends with: ,"mac":"HEXADECIMAL"}, and a line feed.
constexpr std::string_view kMacBegin = ",\"mac\":\"";
constexpr std::string_view kMacEnd = "\"}\n";
constexpr size_t kHexSize = 2 * sizeof(HmacTag);
constexpr size_t kMacSize = kMacBegin.size() + kHexSize + kMacEnd.size();
constexpr const char* kKeyFileHint = "\"pgbackup keygen --manifest-key\" makes such files.";

std::optional<unsigned> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

bool KeyFromHex(std::string_view text, SymmetricKey* key) {
  if (text.size() != 2 * SymmetricKey::size()) return false;
  for (size_t i = 0; i < SymmetricKey::size(); ++i) {
    const auto high = HexDigit(text[2 * i]), low = HexDigit(text[2 * i + 1]);
    if (!high || !low) return false;
    key->data()[i] = static_cast<std::byte>(*high << 4 | *low);
  }
  return true;
}

bool KeyFromBase64(std::string_view text, SymmetricKey* key) {
  std::optional<std::vector<std::byte>> bytes = FromBase64(text);
  if (!bytes) return false;
  const bool fits = bytes->size() == SymmetricKey::size();
  if (fits) std::copy(bytes->begin(), bytes->end(), key->data());
  OPENSSL_cleanse(bytes->data(), bytes->size());
  return fits;
}

std::string MacOf(const SymmetricKey& key, std::string_view text) {
  return ToHex(HmacSha256(key, AsBytes(text)));
}

}  // namespace

ManifestKeys::ManifestKeys(const std::string& path) {
  const std::string failed = fmt::format("could not read the manifest key file \"{}\"", path);
  SmallFile file = ReadPrivateFile(path, failed, "pgbackup.manifest_key_file");
  size_t bad_line = 0;
  ConfigLines lines(file.text);
  for (std::string_view line; bad_line == 0 && lines.Next(&line);) {
    SymmetricKey key;
    if (KeyFromHex(line, &key) || KeyFromBase64(line, &key))
      keys_.push_back(key);
    else
      bad_line = lines.number();
  }
  OPENSSL_cleanse(file.text.data(), file.text.size());
  if (bad_line != 0)
    throw Error(ErrorKind::kInvalid, fmt::format("{}: line {} is not a key", failed, bad_line),
                "A key is 32 bytes, written as 64 hexadecimal digits or in base64.", kKeyFileHint);
  if (keys_.empty())
    throw Error(ErrorKind::kInvalid, failed + ": it holds no key",
                "A key is 32 bytes, written as 64 hexadecimal digits or in base64.", kKeyFileHint);
}

std::string ManifestKeys::Signed(const std::string& manifest) const {
  if (!manifest.ends_with("}\n"))
    throw Error(ErrorKind::kInternal, "a manifest without an end cannot be signed");
  const std::string text = manifest.substr(0, manifest.size() - 2);
  return fmt::format("{}{}{}{}", text, kMacBegin, MacOf(keys_.front(), text), kMacEnd);
}

ManifestKeys::Finding ManifestKeys::Check(std::string_view manifest) const {
  if (manifest.size() < kMacSize || !manifest.ends_with(kMacEnd)) return Finding::kUnsigned;
  const std::string_view text = manifest.substr(0, manifest.size() - kMacSize);
  std::string_view mac = manifest.substr(text.size());
  if (!mac.starts_with(kMacBegin)) return Finding::kUnsigned;
  mac = mac.substr(kMacBegin.size(), kHexSize);
  bool is_ours = false;
  for (const SymmetricKey& key : keys_)
    is_ours |= AreEqual(AsBytes(MacOf(key, text)), AsBytes(mac));
  return is_ours ? Finding::kOurs : Finding::kWrong;
}

void CheckManifestMac(std::string_view manifest, const ManifestKeys* keys, bool allow_unsigned,
                      const std::string& where) {
  if (keys == nullptr) return;
  const ManifestKeys::Finding finding = keys->Check(manifest);
  if (finding == ManifestKeys::Finding::kOurs) return;
  if (finding == ManifestKeys::Finding::kWrong)
    throw Error(ErrorKind::kCorrupt,
                fmt::format("the MAC of the manifest in \"{}\" is wrong", where),
                "The manifest was changed, or signed with a key that is not in the file of "
                "pgbackup.manifest_key_file.",
                "Do not use the backup unless it is older than a change of keys; then add the "
                "former key to the file, below the present one.");
  if (allow_unsigned) return;
  throw Error(ErrorKind::kDenied, fmt::format("the manifest in \"{}\" has no MAC", where),
              "pgbackup.manifest_key_file is set, so a backup that is found in a storage must be "
              "signed with one of its keys.",
              "To use a backup that was made before the key was set, and only if every writer of "
              "the storage is trusted, specify allow_unsigned => true.");
}

std::string MakeManifestKey(Environment& environment) {
  SymmetricKey key;
  environment.FillRandom(key);
  return fmt::format("# manifest key, created: {}\n{}\n", FormatTimestamp(environment.Now()),
                     ToHex(key));
}

}  // namespace pgbackup
