// The sink that writes one S3 object: a single PUT when it fits into one part, else a multipart
// upload whose parts travel in the background while the next one fills.
//
// All parts but the last have the same size, which several stores insist on. A part's bytes are
// kept until the store has acknowledged them. Abort waits for the parts on their way (they are
// stopped at once), then removes the upload and looks that it is gone; it runs within
// S3Limits::cleanup_window also after a cancel.
#pragma once

#include <deque>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/base/cancellation.h"
#include "core/pipeline/sink.h"
#include "core/s3/bucket.h"
#include "core/s3/part_buffer.h"
#include "core/s3/upload_plan.h"
#include "core/storage/storage.h"

namespace pgbackup {

// The time all writers of a storage have for cleaning up. After a cancel it runs once for all of
// them together, from the first to ask.
class CleanupClock {
 public:
  CleanupClock(const Environment& environment, std::chrono::milliseconds window,
               const Cancellation& job)
      : environment_(environment), window_(window), job_(job) {}
  SteadyTime End();

 private:
  const Environment& environment_;
  const std::chrono::milliseconds window_;
  const Cancellation& job_;
  std::mutex mutex_;
  std::optional<SteadyTime> end_after_cancel_;  // guarded by mutex_
};

// What the writers of one storage share. Outlives them.
struct WriterContext {
  Bucket& bucket;
  PartSlots& slots;
  CleanupClock& cleanup;
  const Cancellation& job;
  const ObjectOptions& object_options;
  const UploadLimits& limits;
};

class MultipartWriter final : public Sink {
 public:
  MultipartWriter(const WriterContext& context, std::string key, const PutOptions& options);
  ~MultipartWriter() override { Abort(); }

  void Write(std::span<const std::byte> data) override;
  void Finish() override;
  void Abort() noexcept override;

 private:
  enum class State { kOpen, kFinished, kAborted };
  struct Part {
    int number;
    std::future<UploadedPart> uploaded;
  };

  HttpHeaders ObjectHeaders() const;
  CallControl Control() const;
  void SendPart();
  void CollectParts(bool wait);
  void FinishSingle();
  void FinishMultipart(const ObjectPlan& plan);
  void RefuseExisting(bool must_know);
  [[noreturn]] void ThrowExists() const;
  bool IsWritten(const CallControl& control) const;
  void RemoveUploads() noexcept;
  void RemoveLostUploads(const CallControl& control) const;
  void RemoveLostUploadsAfterSuccess() const;
  void RemoveUncertainObject() noexcept;
  void Cleanup(const std::function<void(const CallControl&)>& step) noexcept;

  const WriterContext context_;
  const std::string key_;
  const PutOptions options_;
  std::string write_id_;
  State state_ = State::kOpen;
  Cancellation stop_;  // set by Abort: ends the parts on their way

  PartSlots::Account account_;
  std::unique_ptr<PartBuffer> buffer_;
  uint64_t size_ = 0;

  std::string upload_id_;
  int parts_sent_ = 0;
  std::deque<Part> in_flight_;
  std::map<int, UploadedPart> parts_;
  bool create_uncertain_ = false;  // there may be an upload whose id we never got
  bool object_uncertain_ = false;  // the object may exist although writing it failed
};

}  // namespace pgbackup
