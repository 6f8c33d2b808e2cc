// What can be set of an S3 storage, a row for each option. Of a row are made the setting
// pgbackup.s3_NAME, the member NAME of a job's "s3", the option --s3-NAME of the command line and,
// for what may differ from one storage to the next, the parameter NAME of a storage URL.
//
// Used by the server module too: no exceptions, no allocation.
#pragma once

#include <string_view>

#include "shared/option_check.h"

namespace pgbackup {

// The values. Empty texts mean "not set". `Text` is what the server, or the executable, keeps texts
// in, and `Number` numbers.
template <typename Text, typename Number>
struct S3Values {
  Text region{};              // empty: AWS_REGION, else discovered, else us-east-1
  Text endpoint{};            // http(s)://host[:port]; empty: AWS for the region
  Text path_style{};          // "auto" (or empty: path style for a custom endpoint or a bucket name
                              // with dots) | "on" | "off"
  Text credentials_file{};    // AWS shared credentials file, must not be readable by others
  Text profile{};             // section of it, default "default"
  Text ca_file{};             // PEM bundle for a private CA
  Text proxy{};               // http://, https:// or socks5h://host[:port]; empty: no proxy
  Number part_size{};         // bytes; in the server's setting megabytes
  Number concurrency{};       // parts or ranges in flight at once, at least 1
  Text storage_class{};       // such as STANDARD_IA
  Text sse{};                 // encryption by the store: "AES256" | "aws:kms"
  Text kms_key_id{};          // with "aws:kms"; empty: the store's default key
  Text sse_c_key_file{};      // 32 bytes, raw or in base64; must not be readable by others
  Text object_lock_mode{};    // "governance" | "compliance"
  Number object_lock_days{};  // with a mode: at least 1
  Text checksum{};            // "sha256" | "crc32c" | "crc64nvme"
  Text tags{};                // "key=value,key=value"
  bool requester_pays{};
};

// Whether a text is good. May point *error (static text, a whole sentence) at what is wrong.
using S3TextCheck = bool (*)(std::string_view text, const char** error) noexcept;

// The same of a check that has no words of its own.
template <bool (*is_good)(std::string_view) noexcept>
bool Syntax(std::string_view text, const char** /*error*/) noexcept {
  return is_good(text);
}

template <typename Values>
struct S3Option {
  const char* name = "";

  // Where the value is: one of these.
  decltype(Values::region) Values::*text = nullptr;
  decltype(Values::part_size) Values::*number = nullptr;
  bool Values::*flag = nullptr;

  const char* description = "";  // without a full stop
  const char* placeholder = "";  // for the value, in --help

  // Of a text.
  S3TextCheck check = nullptr;
  const char* wanted = "";   // what the check wants: "use …"
  const char* example = "";  // when `wanted` does not show one
  const char* initial = "";  // of the setting
  bool is_file = false;      // its name: absolute, except on the command line

  // Of a number; the setting counts in units of `unit`.
  int initial_number = 0, least = 0, most = 0, unit = 1;

  bool is_private = false;  // not for every role to read: it names places and keys
  bool is_in_url = false;
  bool is_for_writing = false;  // of no use to commands that only read
};

inline constexpr int kMostS3Concurrency = 16;

template <typename Values>
inline constexpr S3Option<Values> kS3Options[] = {
    {.name = "region",
     .text = &Values::region,
     .description = "Region of the bucket",
     .placeholder = "REGION",
     .check = Syntax<IsRegion>,
     .wanted = "letters, digits, \"-\" and \"_\"",
     .example = "eu-central-1",
     .is_in_url = true},
    {.name = "endpoint",
     .text = &Values::endpoint,
     .description = "Endpoint of an S3 store other than Amazon's",
     .placeholder = "URL",
     .check = Syntax<IsEndpoint>,
     .wanted = "http:// or https://, a host, and perhaps a port",
     .example = "https://storage.example.com",
     .is_private = true,
     .is_in_url = true},
    {.name = "path_style",
     .text = &Values::path_style,
     .description = "Whether the bucket is in the path of requests: auto, on or off",
     .placeholder = "WHEN",
     .check = Syntax<IsPathStyle>,
     .wanted = "auto, on or off",
     .initial = "auto",
     .is_in_url = true},
    {.name = "profile",
     .text = &Values::profile,
     .description = "Section of the credentials file",
     .placeholder = "NAME",
     .is_private = true,
     .is_in_url = true},
    {.name = "credentials_file",
     .text = &Values::credentials_file,
     .description = "File with the keys, in the format of the AWS tools",
     .placeholder = "FILE",
     .is_file = true,
     .is_private = true,
     .is_in_url = true},
    {.name = "ca_file",
     .text = &Values::ca_file,
     .description = "Certificate authorities for the endpoint, PEM",
     .placeholder = "FILE",
     .is_file = true,
     .is_private = true,
     .is_in_url = true},
    {.name = "proxy",
     .text = &Values::proxy,
     .description = "Proxy for requests: http://, https:// or socks5h://host:port",
     .placeholder = "URL",
     .check = CheckProxy,
     .wanted = "http://, https:// or socks5h://, a host and a port",
     .example = "http://proxy.example.com:3128",
     .is_private = true},
    {.name = "sse_c_key_file",
     .text = &Values::sse_c_key_file,
     .description = "File with a key of your own that the store encrypts objects with",
     .placeholder = "FILE",
     .is_file = true,
     .is_private = true},
    {.name = "concurrency",
     .number = &Values::concurrency,
     .description = "How many parts of an upload or ranges of a download are in flight at once",
     .placeholder = "N",
     .initial_number = 4,
     .least = 1,
     .most = kMostS3Concurrency},
    {.name = "requester_pays",
     .flag = &Values::requester_pays,
     .description = "Whether this side pays for requests to another account's bucket"},
    {.name = "part_size",
     .number = &Values::part_size,
     .description = "Size of the parts of a multipart upload",
     .placeholder = "SIZE",
     .initial_number = 32,
     .least = 5,
     .most = 1024,
     .unit = 1 << 20,
     .is_for_writing = true},
    {.name = "storage_class",
     .text = &Values::storage_class,
     .description = "Storage class of objects, such as STANDARD_IA; empty for the bucket's default",
     .placeholder = "CLASS",
     .check = Syntax<IsStorageClass>,
     .wanted = "a storage class in upper case, such as STANDARD_IA",
     .is_in_url = true,
     .is_for_writing = true},
    {.name = "sse",
     .text = &Values::sse,
     .description = "Encryption by the store: AES256 or aws:kms; empty for the bucket's default",
     .placeholder = "KIND",
     .check = Syntax<IsEncryption>,
     .wanted = "AES256 or aws:kms",
     .is_in_url = true,
     .is_for_writing = true},
    {.name = "kms_key_id",
     .text = &Values::kms_key_id,
     .description = "Key for aws:kms; empty for the store's default key",
     .placeholder = "KEY",
     .check = Syntax<IsKmsKeyId>,
     .wanted = "the ID, the ARN or the alias of a key",
     .is_private = true,
     .is_in_url = true,
     .is_for_writing = true},
    {.name = "object_lock_mode",
     .text = &Values::object_lock_mode,
     .description = "Lock on objects: governance or compliance; empty for none",
     .placeholder = "MODE",
     .check = Syntax<IsObjectLockMode>,
     .wanted = "governance or compliance",
     .is_in_url = true,
     .is_for_writing = true},
    {.name = "object_lock_days",
     .number = &Values::object_lock_days,
     .description = "How many days the lock on objects lasts",
     .placeholder = "DAYS",
     .most = 36500,
     .is_in_url = true,
     .is_for_writing = true},
    {.name = "checksum",
     .text = &Values::checksum,
     .description = "Checksum sent along with objects: sha256, crc32c or crc64nvme",
     .placeholder = "KIND",
     .check = Syntax<IsChecksumName>,
     .wanted = "sha256, crc32c or crc64nvme",
     .is_in_url = true,
     .is_for_writing = true},
    {.name = "tags",
     .text = &Values::tags,
     .description = "Tags of objects: key=value,key=value",
     .placeholder = "TAGS",
     .check = CheckTags,
     .wanted = "key=value,key=value",
     .example = "team=data,purpose=backup",
     .is_in_url = true,
     .is_for_writing = true},
};

}  // namespace pgbackup
