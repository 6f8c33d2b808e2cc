#include "core/storage/open_storage.h"

#include "core/base/error.h"
#include "core/s3/curl_transport.h"
#include "core/s3/s3_storage.h"
#include "core/storage/file_storage.h"
#include "core/storage/storage_url.h"

namespace pgbackup {

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
  return std::make_unique<S3Storage>(
      S3Location{std::string(url.bucket), std::string(url.prefix)}, settings.s3, S3Limits{},
      std::make_unique<CurlTransport>(settings.s3.ca_file, settings.s3.proxy), environment,
      cancellation, throttle);
}

}  // namespace pgbackup
