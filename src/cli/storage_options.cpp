#include "cli/storage_options.h"

#include <CLI/CLI.hpp>  // IsMember and its like: from CLI11 2.6 on in a header of their own

#include "shared/option_check.h"
#include "shared/storage_url.h"

namespace pgbackup {
namespace {

constexpr const char* kStorageGroup = "Storage";
constexpr const char* kWritingGroup = "Storage, for what is written";

// A validator out of a check that neither throws nor allocates and has its own words.
CLI::Validator CheckedBy(bool (*is_good)(const std::string&, const char**)) {
  return CLI::Validator(
      [is_good](std::string& text) {
        const char* why = "";
        return is_good(text, &why) ? std::string() : std::string(why);
      },
      "");
}

// The same of one that has none.
CLI::Validator Syntax(bool (*is_good)(std::string_view) noexcept, const char* wanted) {
  return CLI::Validator(
      [is_good, wanted](std::string& text) {
        return is_good(text) ? std::string() : "\"" + text + "\" is not " + wanted;
      },
      "");
}

bool IsStorageUrl(const std::string& text, const char** why) {
  StorageUrl url;
  return ParseStorageUrl(text, &url, why);
}

bool IsProxy(const std::string& text, const char** why) {
  return CheckProxy(text, why);
}

bool IsTagList(const std::string& text, const char** why) {
  return CheckTags(text, why);
}

}  // namespace

void StorageOptions::AddTo(CLI::App& command) {
  command
      .add_option("-s,--storage", settings_.url,
                  "Where the backups are: s3://bucket/prefix or file:///path; as pgbackup.storage")
      ->type_name("URL")
      ->envname("PGBACKUP_STORAGE")
      ->check(CheckedBy(IsStorageUrl))
      ->required()
      ->group(kStorageGroup);
  S3Settings& s3 = settings_.s3;
  const auto add = [&](const char* name, std::string& value, const char* type,
                       const char* description) {
    return command.add_option(name, value, description)->type_name(type)->group(kStorageGroup);
  };
  add("--s3-region", s3.region, "REGION", "Region of the bucket")
      ->check(Syntax(IsRegion, "a region"));
  add("--s3-endpoint", s3.endpoint, "URL", "Another store than Amazon's: https://host[:port]")
      ->check(Syntax(IsEndpoint, "http:// or https://, a host and perhaps a port"));
  add("--s3-path-style", s3.path_style, "WHEN", "Bucket in the path: auto, on or off")
      ->check(Syntax(IsPathStyle, "auto, on or off"));
  add("--s3-credentials-file", s3.credentials_file, "FILE",
      "Keys, as the AWS tools write them; readable by nobody else");
  add("--s3-profile", s3.profile, "NAME", "Section of the files of keys and settings");
  add("--s3-ca-file", s3.ca_file, "FILE", "Certificates of a private authority");
  add("--s3-proxy", s3.proxy, "URL", "Proxy: http://, https:// or socks5h://host:port")
      ->check(CheckedBy(IsProxy));
  add("--s3-sse-c-key-file", s3.sse_c_key_file, "FILE",
      "Key with which the store has encrypted the objects");
  command
      .add_option("--s3-concurrency", s3.concurrency, "Requests for one object at a time, 1 to 16")
      ->type_name("N")
      ->check(CLI::Range(uint64_t{1}, S3Settings::kMostConcurrency))
      ->group(kStorageGroup);
  command.add_flag("--s3-requester-pays", s3.requester_pays, "The bucket's owner lets readers pay")
      ->group(kStorageGroup);
}

void StorageOptions::AddWritingTo(CLI::App& command) {
  S3Settings& s3 = settings_.s3;
  const auto add = [&](const char* name, auto& value, const char* type, const char* description) {
    return command.add_option(name, value, description)->type_name(type)->group(kWritingGroup);
  };
  add("--bandwidth-limit", settings_.bandwidth_limit, "SIZE", "Bytes per second at most, as 20MB")
      ->transform(CLI::AsSizeValue(false));
  constexpr uint64_t kMegabyte = 1 << 20;
  add("--s3-part-size", s3.part_size, "SIZE", "Parts of an upload, 5MB to 1024MB")
      ->check(CLI::Range(5 * kMegabyte, 1024 * kMegabyte))
      ->transform(CLI::AsSizeValue(false));
  add("--s3-storage-class", s3.storage_class, "CLASS", "Storage class, as STANDARD_IA")
      ->check(Syntax(IsStorageClass, "a storage class in upper case"));
  add("--s3-sse", s3.sse, "KIND", "Encryption by the store: AES256 or aws:kms")
      ->check(Syntax(IsEncryption, "AES256 or aws:kms"));
  add("--s3-kms-key-id", s3.kms_key_id, "KEY", "Id, ARN or alias of the key for aws:kms")
      ->check(Syntax(IsKmsKeyId, "the id, the ARN or the alias of a key"));
  add("--s3-object-lock-mode", s3.object_lock_mode, "MODE", "governance or compliance")
      ->check(Syntax(IsObjectLockMode, "governance or compliance"));
  add("--s3-object-lock-days", s3.object_lock_days, "DAYS", "How long objects are locked")
      ->check(CLI::Range(uint64_t{0}, static_cast<uint64_t>(kMostObjectLockDays)));
  add("--s3-checksum", s3.checksum, "KIND",
      "Checksum that goes along with objects: sha256, crc32c or crc64nvme")
      ->check(Syntax(IsChecksumName, "sha256, crc32c or crc64nvme"));
  add("--s3-tags", s3.tags, "TAGS", "Tags of the objects: key=value,key=value")
      ->check(CheckedBy(IsTagList));
}

}  // namespace pgbackup
