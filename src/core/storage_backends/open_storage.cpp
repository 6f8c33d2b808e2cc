#include "core/storage_backends/open_storage.h"

#include "core/base/error.h"
#include "core/http/curl_transport.h"
#include "core/s3/s3_storage.h"
#include "core/storage/file_storage.h"
#include "shared/storage_parameters.h"
#include "shared/storage_url.h"

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

S3Limits LimitsFor(const StorageSettings& settings) {
  S3Limits limits;
  if (settings.patience.count() == 0) return limits;
  limits.retry.window = limits.first_contact_window = settings.patience;
  limits.stall_timeout = 2 * settings.patience;  // one slow answer is no trouble yet
  return limits;
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

std::unique_ptr<Storage> OpenStorage(const StorageSettings& settings, Environment& environment,
                                     const Cancellation& cancellation, Throttle* throttle) {
  StorageUrl url;
  const char* why = "";
  // The URL itself is not repeated: what is wrong with it may be a password in it.
  if (!ParseStorageUrl(settings.url, &url, &why))
    throw Error(ErrorKind::kInvalid, "invalid storage URL", why,
                "Set pgbackup.storage to file:///absolute/path or s3://bucket[/prefix].");
  if (url.scheme == StorageScheme::kFile)
    return std::make_unique<FileStorage>(std::string(url.path), environment, cancellation,
                                         throttle);
  const S3Settings s3 = WithParameters(settings.s3, url);
  return std::make_unique<S3Storage>(
      S3Location{std::string(url.bucket), std::string(url.prefix)}, s3, LimitsFor(settings),
      std::make_unique<CurlTransport>(s3.ca_file, s3.proxy), environment, cancellation, throttle);
}

}  // namespace pgbackup
