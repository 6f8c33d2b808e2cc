#include "core/s3/s3_storage.h"

#include "core/base/error.h"
#include "core/base/iso_time.h"
#include "core/s3/credentials_chain.h"
#include "core/s3/object_reader.h"
#include "core/s3/s3_probe.h"

namespace pgbackup {
namespace {

constexpr const char* kManifest = "manifest.json";

std::string FirstRegion(const S3Settings& settings, const Environment& environment) {
  if (!settings.region.empty()) return settings.region;
  for (const char* variable : {"AWS_REGION", "AWS_DEFAULT_REGION"})
    if (const auto region = environment.Variable(variable)) return *region;
  return "us-east-1";  // where AWS answers for any bucket, naming its region
}

uint64_t CheckedPartSize(uint64_t part_size) {
  if (part_size < kLeastPartSize || part_size > kMostPartSize)
    throw Error(ErrorKind::kInvalid, "invalid value of pgbackup.s3_part_size", {},
                "It must be between 5 MB and 5 GB.");
  return part_size;
}

S3Client MakeClient(const S3Location& location, const S3Settings& settings, const S3Limits& limits,
                    std::unique_ptr<Transport> transport, Environment& environment,
                    HttpHeaders for_all, Throttle* throttle) {
  // The sources of credentials are asked by the client's own transport.
  auto credentials = MakeCredentialsChain(
      {settings.credentials_file, settings.profile, settings.region}, {*transport, environment});
  return S3Client(Endpoint(settings, location.bucket, FirstRegion(settings, environment)),
                  location.bucket, settings.ca_file, limits, std::move(transport),
                  std::move(credentials), environment, std::move(for_all), throttle);
}

}  // namespace

S3Storage::S3Storage(const S3Location& location, const S3Settings& settings, const S3Limits& limits,
                     std::unique_ptr<Transport> transport, Environment& environment,
                     const Cancellation& cancellation, Throttle* throttle)
    : base_(location.prefix.empty() ? "" : location.prefix + "/"),
      url_("s3://" + location.bucket + (location.prefix.empty() ? "" : "/" + location.prefix)),
      region_setting_(settings.region),
      part_size_(CheckedPartSize(settings.part_size)),
      options_(settings),
      cancellation_(cancellation),
      client_(MakeClient(location, settings, limits, std::move(transport), environment,
                         options_.ForAll(), throttle)),
      bucket_(client_, location.bucket, base_),
      cleanup_(environment, limits.cleanup_window, cancellation) {}

std::string S3Storage::Key(const std::string& name) const {
  if (!IsValidObjectName(name) || base_.size() + name.size() > 1024)
    throw Error(ErrorKind::kInvalid, "invalid object name \"" + name + "\"");
  return base_ + name;
}

std::unique_ptr<Sink> S3Storage::Put(const std::string& name, const PutOptions& options) {
  cancellation_.ThrowIfCancelled();
  options_.CheckForWriting();
  const WriterContext context{bucket_,       slots_,   cleanup_,
                              cancellation_, options_, static_cast<size_t>(part_size_)};
  return std::make_unique<MultipartWriter>(context, Key(name), options);
}

void S3Storage::Get(const std::string& name, Sink& to, uint64_t offset, uint64_t length) {
  ReadObject(bucket_, Key(name), to, offset, length, Control());
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
  Remove(Key(name), Control());
}

void S3Storage::Remove(const std::string& key, const CallControl& control) const {
  if (options_.locks()) {
    const auto head = bucket_.HeadObject(key, control);
    if (!head) return;
    bucket_.CheckIsUnlocked(key, *head);
  }
  bucket_.DeleteObject(key, control);
}

SweepReport S3Storage::Sweep(const std::string& folder) {
  const std::string prefix = Key(folder) + "/";
  const CallControl control = Control();
  SweepReport report;
  const std::string manifest = prefix + kManifest;
  if (const auto head = bucket_.HeadObject(manifest, control)) {
    bucket_.CheckIsUnlocked(manifest, *head);
    bucket_.DeleteObject(manifest, control);
    ++report.objects;
  }
  try {
    RemoveBelow(prefix, control, &report);
  } catch (const Error& error) {
    // No bucket, so nothing is in it.
    if (error.kind() != ErrorKind::kNotFound) throw;
  }
  return report;
}

void S3Storage::RemoveBelow(const std::string& prefix, const CallControl& control,
                            SweepReport* report) {
  bucket_.ListObjects(
      prefix,
      [&](const ObjectPage::Object& object) {
        if (object.key.compare(0, prefix.size(), prefix) != 0) return;
        Remove(object.key, control);
        ++report->objects;
      },
      control);
  report->unfinished_uploads = bucket_.AbortUploads(
      prefix, [](const UploadPage::Upload&) { return true; }, control);
}

bool S3Storage::Probe(const ProbeRequest& request, ProbeReport& report) {
  const S3ProbeContext context{
      *this, bucket_, options_, Control(), base_, region_setting_, options_.LockInWords()};
  return S3Probe(context, request, report).Run();
}

std::string S3Storage::Presign(const std::string& name, int expires) {
  return client_.Presign(Key(name), expires);
}

}  // namespace pgbackup
