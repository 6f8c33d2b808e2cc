// The syntax of pgbackup.storage and pgbackup.storage_copies: file:///absolute/path or
// s3://bucket[/prefix][?key=value&…], where the parameters are those of storage_parameters.h.
//
// Used by the server module's check hook too, so it neither throws nor allocates: the result points
// into the text it was given.
#pragma once

#include <string_view>

namespace pgbackup {

enum class StorageScheme { kFile, kS3 };

struct StorageUrl {
  StorageScheme scheme = StorageScheme::kFile;
  std::string_view path;        // file: the absolute path without trailing slashes
  std::string_view bucket;      // s3
  std::string_view prefix;      // s3: without leading or trailing slashes, may be empty
  std::string_view parameters;  // s3: what follows the "?", known to be good; may be empty
};

// Parses `text`. On failure returns false and points *error (static text, PostgreSQL DETAIL style:
// a whole sentence) at what is wrong. Refuses: other schemes, a relative or empty path, "." and
// ".." parts, control characters, user information ("key:secret@", which would be a secret in a
// setting), fragments, parameters that are not known, a bucket name no store accepts (3-63 of
// a-z 0-9 . - _ A-Z).
bool ParseStorageUrl(std::string_view text, StorageUrl* url, const char** error) noexcept;

// Whether two URLs lead to the same place, so that what one stores the other overwrites.
// `default_endpoint` is that of an S3 URL that names none. Two spellings of one host or two links
// to one directory are not noticed.
bool IsSamePlace(const StorageUrl& one, const StorageUrl& other,
                 std::string_view default_endpoint) noexcept;

// Takes the first URL off *rest, a list separated by commas, without the blanks around it. False at
// its end. A comma that is part of a parameter is written %2C.
bool NextStorage(std::string_view* rest, std::string_view* url) noexcept;

// Whether `text` is a list of URLs, none of them twice; may be empty. *error as above.
bool CheckStorageList(std::string_view text, const char** error) noexcept;

}  // namespace pgbackup
