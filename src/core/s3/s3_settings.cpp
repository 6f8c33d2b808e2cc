#include "core/s3/s3_settings.h"

#include <string_view>

#include "shared/storage_parameters.h"

namespace pgbackup {
namespace {

void Apply(StorageKey key, const std::string& value, S3Settings* settings) {
  switch (key) {
    case StorageKey::kEndpoint:
      settings->endpoint = value;
      break;
    case StorageKey::kRegion:
      settings->region = value;
      break;
    case StorageKey::kPathStyle:
      settings->path_style = value;
      break;
    case StorageKey::kProfile:
      settings->profile = value;
      break;
    case StorageKey::kCredentialsFile:
      settings->credentials_file = value;
      break;
    case StorageKey::kCaFile:
      settings->ca_file = value;
      break;
    case StorageKey::kStorageClass:
      settings->storage_class = value;
      break;
    case StorageKey::kSse:
      settings->sse = value;
      break;
    case StorageKey::kKmsKeyId:
      settings->kms_key_id = value;
      break;
    case StorageKey::kObjectLockMode:
      settings->object_lock_mode = value;
      break;
    case StorageKey::kObjectLockDays:
      settings->object_lock_days = value.empty() ? 0 : std::stoull(value);
      break;
    case StorageKey::kChecksum:
      settings->checksum = value;
      break;
    case StorageKey::kTags:
      settings->tags = value;
      break;
  }
}

}  // namespace

S3Settings WithParameters(S3Settings settings, const StorageUrl& url) {
  std::string_view rest = url.parameters;
  for (StorageParameter parameter; NextParameter(&rest, &parameter);) {
    ParameterValue value;
    if (value.Decode(parameter.value)) Apply(parameter.key, std::string(value.text()), &settings);
  }
  return settings;
}

}  // namespace pgbackup
