// The syntax of pgbackup.storage: file:///absolute/path or s3://bucket[/prefix].
//
// Used by the server module's check hook too, so it neither throws nor allocates: the result points
// into the text it was given.
#pragma once

#include <string_view>

namespace pgbackup {

enum class StorageScheme { kFile, kS3 };

struct StorageUrl {
  StorageScheme scheme = StorageScheme::kFile;
  std::string_view path;    // file: the absolute path without trailing slashes
  std::string_view bucket;  // s3
  std::string_view prefix;  // s3: without leading or trailing slashes, may be empty
};

// Parses `text`. On failure returns false and points *error (static text, PostgreSQL DETAIL style:
// a whole sentence) at what is wrong. Refuses: other schemes, a relative or empty path, "." and
// ".." parts, control characters, user information ("key:secret@", which would be a secret in a
// setting), queries and fragments, a bucket name no store accepts (3-63 of a-z 0-9 . - _ A-Z).
bool ParseStorageUrl(std::string_view text, StorageUrl* url, const char** error) noexcept;

}  // namespace pgbackup
