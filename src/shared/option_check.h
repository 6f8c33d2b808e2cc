// The syntax of those pgbackup.s3_* settings that say how objects are to be stored.
//
// Used by the server module's check hooks too: no exceptions, no allocation. Empty means "not set"
// and is good for all of them.
#pragma once

#include <string_view>

namespace pgbackup {

// http:// or https://, a host and perhaps a port; no path, no user.
bool IsEndpoint(std::string_view text) noexcept;
// Letters, digits, "-" and "_".
bool IsRegion(std::string_view text) noexcept;
// auto | on | off
bool IsPathStyle(std::string_view text) noexcept;
// A token in upper case, such as STANDARD_IA.
bool IsStorageClass(std::string_view text) noexcept;
// AES256 | aws:kms
bool IsEncryption(std::string_view text) noexcept;
// Visible ASCII: an id, an ARN or an alias.
bool IsKmsKeyId(std::string_view text) noexcept;
// governance | compliance
bool IsObjectLockMode(std::string_view text) noexcept;
// sha256 | crc32c | crc64nvme
bool IsChecksumName(std::string_view text) noexcept;

// Digits, `most` at most.
bool IsWholeNumber(std::string_view text, int most) noexcept;

// A proxy: http://, https:// or socks5h://, a host and a port, and no user or password. On failure
// points *error (static text, a whole sentence) at what is wrong.
bool CheckProxy(std::string_view text, const char** error) noexcept;

struct S3Tag {
  std::string_view key, value;
};

// Takes the first tag off *rest, a list "key=value,key=value" that CheckTags has found good. False
// at its end.
bool NextTag(std::string_view* rest, S3Tag* tag) noexcept;

// Whether `text` is a list of at most ten tags that S3 takes. On failure points *error (static
// text, a whole sentence) at what is wrong.
bool CheckTags(std::string_view text, const char** error) noexcept;

}  // namespace pgbackup
