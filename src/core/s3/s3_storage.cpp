#include "core/s3/s3_storage.h"

#include "core/aws/credentials_chain.h"
#include "core/base/error.h"
#include "core/base/iso_time.h"
#include "core/s3/s3_probe.h"
#include "shared/option_check.h"

namespace pgbackup {
namespace {

std::string FirstRegion(const S3Settings& settings, const Environment& environment) {
  if (!settings.region.empty()) return settings.region;
  for (const char* variable : {"AWS_REGION", "AWS_DEFAULT_REGION"})
    if (const auto region = environment.Variable(variable)) return *region;
  return "us-east-1";  // where AWS answers for any bucket, naming its region
}

int CheckedConcurrency(uint64_t concurrency) {
  if (concurrency < 1 || concurrency > kMostS3Concurrency)
    throw Error(ErrorKind::kInvalid, "invalid value of pgbackup.s3_concurrency", {},
                "It must be between 1 and 16.");
  return static_cast<int>(concurrency);
}

std::string CheckedProxy(const std::string& proxy) {
  const char* why = "";
  // The value is not repeated: what is wrong with it may be a password in it.
  if (!CheckProxy(proxy, &why))
    throw Error(ErrorKind::kInvalid, "invalid value of pgbackup.s3_proxy", why,
                "For example http://proxy.example.com:3128.");
  return proxy;
}

S3Client MakeClient(const S3Location& location, const S3Settings& settings, const S3Limits& limits,
                    std::unique_ptr<Transport> transport, Environment& environment,
                    HttpHeaders for_all, Throttle* throttle) {
  // The sources of credentials are asked by the client's own transport.
  auto credentials = MakeCredentialsChain(
      {settings.credentials_file, settings.profile, settings.region}, {*transport, environment});
  return S3Client(Endpoint(settings, location.bucket, FirstRegion(settings, environment)),
                  location.bucket, settings.ca_file, limits, std::move(transport),
                  std::move(credentials), environment, std::move(for_all), throttle,
                  CheckedProxy(settings.proxy));
}

}  // namespace

S3Storage::S3Storage(const S3Location& location, const S3Settings& settings, const S3Limits& limits,
                     std::unique_ptr<Transport> transport, Environment& environment,
                     const Cancellation& cancellation, Throttle* throttle)
    : base_(location.prefix.empty() ? "" : location.prefix + "/"),
      url_("s3://" + location.bucket + (location.prefix.empty() ? "" : "/" + location.prefix)),
      upload_limits_(LimitsOfUpload(settings.part_size, limits.most_parts)),
      region_setting_(settings.region),
      options_(settings),
      cancellation_(cancellation),
      client_(MakeClient(location, settings, limits, std::move(transport), environment,
                         options_.ForAll(), throttle)),
      bucket_(client_, location.bucket, base_, options_.ForContent()),
      slots_(CheckedConcurrency(settings.concurrency)),
      range_buffers_(limits.range_size, CheckedConcurrency(settings.concurrency)),
      cleanup_(environment, limits.cleanup_window, cancellation) {}

std::string S3Storage::Key(const std::string& name) const {
  if (!IsValidObjectName(name) || base_.size() + name.size() > 1024)
    throw Error(ErrorKind::kInvalid, "invalid object name \"" + name + "\"");
  return base_ + name;
}

std::unique_ptr<Sink> S3Storage::Put(const std::string& name, const PutOptions& options) {
  cancellation_.ThrowIfCancelled();
  options_.CheckForWriting();
  const WriterContext context{bucket_, slots_, cleanup_, cancellation_, options_, upload_limits_};
  return std::make_unique<MultipartWriter>(context, Key(name), options);
}

void S3Storage::Get(const std::string& name, Sink& to, uint64_t offset, uint64_t length) {
  ReadObject(bucket_, range_buffers_, Key(name), to, offset, length, Control());
}

std::optional<ObjectInfo> S3Storage::Head(const std::string& name) {
  const auto head = bucket_.HeadObject(Key(name), Control());
  if (!head) return std::nullopt;
  return ObjectInfo{name, head->size, head->modified};
}

void S3Storage::List(const std::string& prefix,
                     const std::function<void(const ObjectInfo&)>& each) {
  bucket_.ListObjects(
      base_ + prefix,
      [&](const ObjectPage::Object& object) {
        const std::string name = object.key.substr(base_.size());
        // Consoles make "folders": empty objects whose name ends with a slash.
        if (IsValidObjectName(name)) each({name, object.size, ParseIsoTime(object.modified)});
      },
      Control());
}

void S3Storage::ListUnfinished(const std::string& prefix,
                               const std::function<void(const UnfinishedUpload&)>& each) {
  bucket_.ListUploads(
      base_ + prefix,
      [&](const UploadPage::Upload& upload) {
        each({upload.key.substr(base_.size()), upload.upload_id, ParseIsoTime(upload.initiated)});
      },
      Control());
}

void S3Storage::AbortUnfinished(const UnfinishedUpload& upload) {
  bucket_.AbortUpload(base_ + upload.name, upload.id, Control());
}

WallTime S3Storage::Now() const {
  return client_.environment().Now() + client_.ClockSkew().value_or(std::chrono::nanoseconds(0));
}

void S3Storage::Delete(const std::string& name) {
  const std::string key = Key(name);
  if (options_.locks() && !IsRemovable(name)) return;
  bucket_.DeleteObject(key, Control());
}

bool S3Storage::IsRemovable(const std::string& name) {
  const std::string key = Key(name);
  const auto head = bucket_.HeadObject(key, Control());
  if (head) bucket_.CheckIsUnlocked(key, *head);
  return head.has_value();
}

Surroundings S3Storage::LookAround() {
  std::string above = base_;
  while (!above.empty()) {
    above.pop_back();  // the slash
    above.erase(above.rfind('/') + 1);
    std::vector<std::string> names = bucket_.ListFolders(above, Control());
    if (names.empty()) continue;
    return {bucket_.Url(above.substr(0, above.empty() ? 0 : above.size() - 1)), std::move(names)};
  }
  return {};
}

bool S3Storage::Probe(const ProbeRequest& request, ProbeReport& report) {
  const S3ProbeContext context{
      *this, bucket_, options_, Control(), base_, region_setting_, options_.LockInWords()};
  return S3Probe(context, request, report).Run();
}

std::string S3Storage::Presign(const std::string& name, int expires) {
  if (!options_.ForContent().empty())
    throw Error(
        ErrorKind::kInvalid, "objects in " + url_ + " have no URLs to hand out",
        "They are encrypted with the key in pgbackup.s3_sse_c_key_file, which whoever reads "
        "them must send in headers: a URL cannot hold it.",
        "Read them with a program that sends the key, such as: aws s3 cp --sse-c-key.");
  return client_.Presign(Key(name), expires);
}

}  // namespace pgbackup
