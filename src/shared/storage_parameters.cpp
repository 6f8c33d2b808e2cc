#include "shared/storage_parameters.h"

#include <algorithm>

#include "shared/ascii.h"
#include "shared/option_check.h"

namespace pgbackup {
namespace {

bool IsAbsolutePath(std::string_view text) noexcept {
  return text.empty() || text.front() == '/';
}

bool IsName(std::string_view) noexcept {
  return true;  // a profile: whatever stands between brackets in the file
}

bool AreTags(std::string_view text) noexcept {
  const char* ignored = nullptr;
  return CheckTags(text, &ignored);
}

struct KnownKey {
  std::string_view name;
  StorageKey key;
  bool (*is_good)(std::string_view) noexcept;
  const char* error;
};

constexpr KnownKey kKnown[] = {
    {"endpoint", StorageKey::kEndpoint, IsEndpoint,
     "Parameter \"endpoint\" must be http:// or https://, a host, and perhaps a port."},
    {"region", StorageKey::kRegion, IsRegion,
     "Parameter \"region\" must be letters, digits, \"-\" and \"_\"."},
    {"path_style", StorageKey::kPathStyle, IsPathStyle,
     "Parameter \"path_style\" must be auto, on or off."},
    {"profile", StorageKey::kProfile, IsName, ""},
    {"credentials_file", StorageKey::kCredentialsFile, IsAbsolutePath,
     "Parameter \"credentials_file\" must be an absolute path."},
    {"ca_file", StorageKey::kCaFile, IsAbsolutePath,
     "Parameter \"ca_file\" must be an absolute path."},
    {"storage_class", StorageKey::kStorageClass, IsStorageClass,
     "Parameter \"storage_class\" must be a storage class in upper case, such as STANDARD_IA."},
    {"sse", StorageKey::kSse, IsEncryption, "Parameter \"sse\" must be AES256 or aws:kms."},
    {"kms_key_id", StorageKey::kKmsKeyId, IsKmsKeyId,
     "Parameter \"kms_key_id\" must be the id, the ARN or the alias of a key."},
    {"object_lock_mode", StorageKey::kObjectLockMode, IsObjectLockMode,
     "Parameter \"object_lock_mode\" must be governance or compliance."},
    {"object_lock_days", StorageKey::kObjectLockDays, IsObjectLockDays,
     "Parameter \"object_lock_days\" must be a whole number of days, 36500 at most."},
    {"checksum", StorageKey::kChecksum, IsChecksumName,
     "Parameter \"checksum\" must be sha256, crc32c or crc64nvme."},
    {"tags", StorageKey::kTags, AreTags,
     "Parameter \"tags\" must be key=value,key=value, percent-encoded."},
};

const KnownKey* Find(std::string_view name) noexcept {
  for (const KnownKey& known : kKnown)
    if (known.name == name) return &known;
  return nullptr;
}

struct Pair {
  std::string_view name, value;
  bool has_value = false;
};

// Takes what stands before the next "&" off *rest, which is not empty.
Pair NextPair(std::string_view* rest) noexcept {
  const size_t end = std::min(rest->find('&'), rest->size());
  const std::string_view text(rest->data(), end);
  rest->remove_prefix(std::min(end + 1, rest->size()));
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) return {text, {}, false};
  std::string_view value = text;
  value.remove_prefix(equals + 1);
  return {std::string_view(text.data(), equals), value, true};
}

const char* WhatIsWrongWith(const Pair& pair, std::string_view others) noexcept {
  const KnownKey* known = Find(pair.name);
  if (known == nullptr)
    return "The URL has a parameter that is not known. Known are endpoint, region, path_style, "
           "profile, credentials_file, ca_file, storage_class, sse, kms_key_id, object_lock_mode, "
           "object_lock_days, checksum and tags.";
  if (!pair.has_value) return "Each parameter is key=value, and parameters are separated by \"&\".";
  while (!others.empty())
    if (NextPair(&others).name == pair.name) return "A parameter of the URL occurs twice.";
  ParameterValue value;
  if (!value.Decode(pair.value))
    return "A parameter of the URL is not percent-encoded as it should be, holds a control "
           "character, or is too long.";
  return known->is_good(value.text()) ? nullptr : known->error;
}

}  // namespace

bool ParameterValue::Decode(std::string_view encoded) noexcept {
  size_ = 0;
  for (size_t i = 0; i < encoded.size(); ++i) {
    char c = encoded[i];
    if (c == '%') {
      if (encoded.size() - i < 3) return false;
      const int high = HexDigit(encoded[i + 1]), low = HexDigit(encoded[i + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || size_ == kLongest) return false;
    text_[size_++] = c;
  }
  return true;
}

bool CheckParameters(std::string_view parameters, const char** error) noexcept {
  while (!parameters.empty()) {
    if (parameters.back() == '&') {
      *error = "The URL ends with \"&\".";
      return false;
    }
    const Pair pair = NextPair(&parameters);
    if (const char* wrong = WhatIsWrongWith(pair, parameters)) {
      *error = wrong;
      return false;
    }
  }
  return true;
}

bool NextParameter(std::string_view* rest, StorageParameter* parameter) noexcept {
  if (rest->empty()) return false;
  const Pair pair = NextPair(rest);
  const KnownKey* known = Find(pair.name);
  if (known == nullptr) return false;
  *parameter = {known->key, pair.value};
  return true;
}

}  // namespace pgbackup
