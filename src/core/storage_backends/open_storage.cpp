#include "core/storage_backends/open_storage.h"

#include "core/base/error.h"
#include "core/http/curl_transport.h"
#include "core/s3/s3_storage.h"
#include "core/storage/file_storage.h"
#include "shared/storage_url.h"

namespace pgbackup {
namespace {

S3Limits LimitsFor(const StorageSettings& settings) {
  S3Limits limits;
  if (settings.patience.count() == 0) return limits;
  limits.retry.window = limits.first_contact_window = settings.patience;
  limits.stall_timeout = 2 * settings.patience;  // one slow answer is no trouble yet
  return limits;
}

}  // namespace

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
