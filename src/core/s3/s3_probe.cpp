#include "core/s3/s3_probe.h"

#include <cstdlib>

#include "core/base/error.h"

namespace pgbackup {
namespace {

constexpr std::chrono::seconds kTolerableSkew{60};
constexpr std::string_view kPart = "part of a probe";

bool IsLoopback(const std::string& origin) {
  std::string host = origin.substr(origin.find("//") + 2);
  if (host.rfind("[::1]", 0) == 0) return true;
  host = host.substr(0, host.find(':'));
  const auto ends_with = [&](std::string_view end) {
    return host.size() >= end.size() && host.substr(host.size() - end.size()) == end;
  };
  return host == "localhost" || ends_with(".localhost") || host.rfind("127.", 0) == 0;
}

}  // namespace

ProbeFinding S3Probe::ProbeCredentials() {
  std::string source;
  const auto credentials = context_.bucket.client().CurrentCredentials(context_.control, &source);
  if (!credentials->expires) return "from " + source;
  return "from " + source + ", valid until " + IsoDate(*credentials->expires);
}

ProbeFinding S3Probe::Tls() {
  const std::string origin = context_.bucket.client().Origin();
  if (origin.rfind("https://", 0) == 0) return origin + ", certificate verified";
  if (IsLoopback(origin)) return origin + ", not encrypted, but within this machine";
  return {ProbeStatus::kWarning, origin + " is not encrypted",
          "Use an https:// endpoint in pgbackup.s3_endpoint: a backup holds everything the "
          "databases hold."};
}

ProbeFinding S3Probe::Region() {
  const std::string region = context_.bucket.client().Region();
  const std::string& setting = context_.region_setting;
  if (setting == region) return region + ", from pgbackup.s3_region";
  if (!setting.empty())
    return {ProbeStatus::kWarning,
            "the store says " + region + ", pgbackup.s3_region says " + setting,
            "Set pgbackup.s3_region = '" + region + "', which saves a request in every run."};
  for (const char* variable : {"AWS_REGION", "AWS_DEFAULT_REGION"})
    if (const auto value = request_.environment.Variable(variable))
      return region + (*value == region ? std::string(", from ") + variable
                                        : ", discovered; not the one in " + std::string(variable));
  return region + (region == "us-east-1" ? ", the default" : ", discovered");
}

ProbeFinding S3Probe::Clock() {
  const auto skew = context_.bucket.client().ClockSkewInSeconds();
  if (!skew)
    return {ProbeStatus::kWarning, "the store does not tell its time",
            "Check that pgbackup.s3_endpoint is an S3 endpoint; its answers should have a Date "
            "header."};
  const int64_t seconds = skew->count();
  if (seconds == 0) return std::string("the clocks of this machine and of the store agree");
  std::string detail = "the store's clock is " + std::to_string(std::abs(seconds)) + " seconds " +
                       (seconds > 0 ? "ahead of" : "behind") + " this machine's";
  if (std::chrono::seconds(std::abs(seconds)) < kTolerableSkew) return detail;
  return {ProbeStatus::kWarning, std::move(detail),
          "Set the clock of this machine, for example with NTP. Stores refuse requests whose time "
          "is 15 minutes off."};
}

// An answer that does not come is as good as none: the steps that write will tell.
void S3Probe::AskObjectLock() {
  try {
    lock_ = context_.bucket.AskObjectLock(context_.control);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
  }
}

void S3Probe::AskDeletedObjects() {
  try {
    deleted_ = context_.bucket.AskDeletedObjects(context_.control);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCancelled) throw;
  }
}

ProbeFinding S3Probe::Versions() {
  if (deleted_ == DeletedObjects::kKeptForAWhile)
    return std::string(
        "the bucket keeps versions of deleted objects until a lifecycle rule expires them");
  return {ProbeStatus::kWarning,
          "the bucket keeps versions of deleted objects, so that deleting backups frees no space",
          "Add a lifecycle rule to the bucket that expires noncurrent versions. If there is one, "
          "allow s3:GetLifecycleConfiguration on the bucket to have it seen here."};
}

ProbeFinding S3Probe::ObjectLock() {
  if (!lock_)
    return {ProbeStatus::kWarning,
            context_.lock + "; whether the bucket allows it could not be asked",
            "Allow s3:GetBucketObjectLockConfiguration on the bucket to have this checked."};
  if (!lock_->enabled && !context_.lock.empty())
    return {ProbeStatus::kError,
            "the bucket has object lock not enabled, so it refuses " + context_.lock,
            "Enable object lock on the bucket (most stores can only when it is made), or reset "
            "pgbackup.s3_object_lock_mode and pgbackup.s3_object_lock_days."};
  if (LocksEverything())
    return {ProbeStatus::kWarning,
            "the bucket locks every object by itself (" + lock_->default_mode +
                "), so none is written here: it could not be deleted",
            "Backups will work if the other rows are good. Look at the result of the first one."};
  return context_.lock +
         "; the bucket has object lock enabled. Not tried, for a locked object "
         "could not be deleted";
}

ProbeFinding S3Probe::PutIfAbsent() {
  const auto body = std::as_bytes(std::span(kPart));
  bool uncertain = false;
  const WriteOutcome outcome = context_.bucket.PutObject(
      Key(kProbeObject), context_.options.ForObject(request_.environment.Now(), false), body,
      context_.options.Guard(body), /*if_absent=*/true, &uncertain, context_.control);
  if (outcome == WriteOutcome::kExists)
    return std::string("the store refuses to write over an object that exists");
  return {ProbeStatus::kWarning,
          outcome == WriteOutcome::kUnsupported
              ? "the store does not do conditional writes"
              : "the store does not do conditional writes: it ignores If-None-Match",
          "Let pgbackup.name_template hold {instance} and {id}, as by default: two runs must not "
          "have one folder."};
}

std::string S3Probe::BeginUpload() {
  HttpHeaders headers = context_.options.ForObject(request_.environment.Now(), false);
  for (auto& header : context_.options.ForUpload()) headers.push_back(std::move(header));
  bool uncertain = false;
  return context_.bucket.CreateUpload(Key(kProbeMultipart), headers, &uncertain, context_.control);
}

ProbeFinding S3Probe::Multipart() {
  upload_ = BeginUpload();
  const auto body = std::as_bytes(std::span(kPart));
  const BodyGuard guard = context_.options.Guard(body);
  const std::map<int, UploadedPart> parts = {
      {1,
       {context_.bucket.UploadPart(Key(kProbeMultipart), upload_, 1, body, guard, context_.control),
        guard.checksum}}};
  if (LocksEverything()) return std::string("a part was taken");
  objects_.NoteMultipart();
  bool uncertain = false;
  const auto outcome = context_.bucket.CompleteUpload(
      Key(kProbeMultipart), upload_, parts, context_.options.checksum_element(),
      /*if_absent=*/false, &uncertain, context_.control);
  if (outcome != WriteOutcome::kWritten)
    return {ProbeStatus::kError, "the store did not put the upload together",
            "Look at the log of the store."};
  upload_ = BeginUpload();  // for the steps that follow
  return std::string("parts become an object");
}

bool S3Probe::IsListed() {
  bool listed = false;
  context_.bucket.ListUploads(
      context_.base + request_.folder + "/",
      [&](const UploadPage::Upload& upload) { listed = listed || upload.upload_id == upload_; },
      context_.control);
  return listed;
}

ProbeFinding S3Probe::ListUploads() {
  const bool listed = IsListed();
  if (upload_.empty()) return std::string("can list");
  can_list_uploads_ = listed;
  if (listed) return std::string("shows an upload that is not finished");
  return {ProbeStatus::kWarning, "the store does not show an upload that was just begun",
          "Have a lifecycle rule of the bucket remove unfinished uploads: pgbackup.cleanup() will "
          "not find them."};
}

ProbeFinding S3Probe::AbortUpload() {
  context_.bucket.AbortUpload(Key(kProbeMultipart), upload_, context_.control);
  if (can_list_uploads_ && IsListed())
    return {ProbeStatus::kError, "an upload that was aborted is still there",
            "Have a lifecycle rule of the bucket remove unfinished uploads."};
  upload_.clear();
  return std::string(can_list_uploads_ ? "leaves nothing" : "accepted by the store");
}

void S3Probe::SkipAll() {
  constexpr const char* kWhy = "not tried, because the storage cannot be used at all";
  for (const char* item : {"region", "clock"}) report_.Skip(item, kWhy);
  objects_.SkipAll(kWhy);
  for (const char* item : {"multipart upload", "multipart list", "multipart abort"})
    report_.Skip(item, kWhy);
}

bool S3Probe::Run() {
  const Bucket& bucket = context_.bucket;
  const bool known = report_.Try("credentials", [&] { return ProbeCredentials(); });
  report_.Try("tls", [&] { return Tls(); });
  const bool reached = report_.TryAfter(known, "reachable", [&]() -> ProbeFinding {
    return bucket.Reach(context_.control)
               ? "the store knows the bucket and the credentials"
               : std::string("the store answers, and does not allow to list the bucket");
  });
  if (!reached) {
    SkipAll();
    return false;
  }
  report_.Try("region", [&] { return Region(); });
  report_.Try("clock", [&] { return Clock(); });
  AskObjectLock();
  if (!context_.lock.empty() || LocksEverything())
    report_.Try("object lock", [&] { return ObjectLock(); });
  AskDeletedObjects();
  if (deleted_ != DeletedObjects::kGone) report_.Try("versions", [&] { return Versions(); });
  if (LocksEverything()) {
    objects_.SkipWrites("not tried, because the bucket locks every object");
  } else {
    objects_.WriteAndRead();
    report_.TryAfter(objects_.is_written(), "conditional put", [&] { return PutIfAbsent(); });
  }
  report_.TryAfter(LocksEverything() || objects_.is_written(), "multipart upload",
                   [&] { return Multipart(); });
  report_.Try("multipart list", [&] { return ListUploads(); });
  report_.TryAfter(!upload_.empty(), "multipart abort", [&] { return AbortUpload(); });
  return !objects_.Delete() || !upload_.empty();
}

}  // namespace pgbackup
