// A bucket (or a prefix of one) as storage: s3://bucket[/prefix].
#pragma once

#include <memory>
#include <string>

#include "core/s3/bucket.h"
#include "core/s3/multipart_writer.h"
#include "core/s3/object_options.h"
#include "core/s3/object_reader.h"
#include "core/s3/part_buffer.h"
#include "core/s3/s3_settings.h"
#include "core/s3/upload_plan.h"
#include "core/storage/storage.h"

namespace pgbackup {

struct S3Location {
  std::string bucket;
  std::string prefix;  // without slashes at its ends, may be empty
};

class S3Storage final : public Storage {
 public:
  // `environment`, `cancellation` and `throttle`, if any, outlive the storage. Throws kInvalid for
  // bad settings; does not touch the network.
  S3Storage(const S3Location& location, const S3Settings& settings, const S3Limits& limits,
            std::unique_ptr<Transport> transport, Environment& environment,
            const Cancellation& cancellation, Throttle* throttle = nullptr);

  const std::string& url() const override { return url_; }
  uint64_t MaxObjectSize() const override { return upload_limits_.ObjectSize(); }
  WallTime Now() const override;
  StorageSigns Signs() const override {
    return {client_.ClockSkewInSeconds(), client_.CredentialsEnd()};
  }
  std::unique_ptr<Sink> Put(const std::string& name, const PutOptions& options) override;
  void Get(const std::string& name, Sink& to, uint64_t offset, uint64_t length) override;
  std::optional<ObjectInfo> Head(const std::string& name) override;
  void List(const std::string& prefix, const std::function<void(const ObjectInfo&)>& each) override;
  void Delete(const std::string& name) override;
  void ListUnfinished(const std::string& prefix,
                      const std::function<void(const UnfinishedUpload&)>& each) override;
  void AbortUnfinished(const UnfinishedUpload& upload) override;
  bool IsRemovable(const std::string& name) override;
  std::string Presign(const std::string& name, int expires) override;
  Surroundings LookAround() override;
  bool Probe(const ProbeRequest& request, ProbeReport& report) override;

 private:
  std::string Key(const std::string& name) const;
  CallControl Control() const { return {{&cancellation_}, std::nullopt}; }

  const std::string base_;  // the prefix with a trailing slash, or empty
  const std::string url_;
  const UploadLimits upload_limits_;
  const std::string region_setting_;
  const ObjectOptions options_;
  const Cancellation& cancellation_;
  S3Client client_;
  Bucket bucket_;
  PartSlots slots_;
  RangeBuffers range_buffers_;
  CleanupClock cleanup_;
};

}  // namespace pgbackup
