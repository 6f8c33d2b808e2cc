// What a check tries of an S3 store besides writing and reading an object: the way there, the
// clock, conditional writes, multipart uploads.
#pragma once

#include <optional>
#include <string>

#include "core/s3/bucket.h"
#include "core/storage/object_probe.h"

namespace pgbackup {

// What the probe borrows from its storage. Outlives it.
struct S3ProbeContext {
  Storage& storage;
  Bucket& bucket;
  const ObjectOptions& options;
  CallControl control;
  std::string base;            // of all keys
  std::string region_setting;  // pgbackup.s3_region, may be empty
  std::string lock;            // what is asked for, in words; empty: no object lock
};

class S3Probe {
 public:
  S3Probe(const S3ProbeContext& context, const ProbeRequest& request, ProbeReport& report)
      : context_(context),
        request_(request),
        report_(report),
        objects_(context.storage, request, report) {}

  // See Storage::Probe.
  bool Run();

 private:
  ProbeFinding ProbeCredentials();
  ProbeFinding Tls();
  ProbeFinding Region();
  ProbeFinding Clock();
  ProbeFinding ObjectLock();
  ProbeFinding Versions();
  ProbeFinding PutIfAbsent();
  ProbeFinding Multipart();
  ProbeFinding ListUploads();
  ProbeFinding AbortUpload();

  void AskObjectLock();
  void AskDeletedObjects();
  void SkipAll();
  bool LocksEverything() const { return lock_ && !lock_->default_mode.empty(); }
  std::string Key(std::string_view leaf) const { return context_.base + objects_.Name(leaf); }
  std::string BeginUpload();
  bool IsListed();

  const S3ProbeContext& context_;
  const ProbeRequest& request_;
  ProbeReport& report_;
  ObjectProbe objects_;
  std::optional<BucketLock> lock_;
  DeletedObjects deleted_ = DeletedObjects::kGone;
  std::string upload_;  // an unfinished one of kProbeMultipart; empty: none
  bool can_list_uploads_ = false;
};

}  // namespace pgbackup
