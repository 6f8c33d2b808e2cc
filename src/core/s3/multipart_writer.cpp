#include "core/s3/multipart_writer.h"

#include <array>

#include "core/base/sha256.h"

namespace pgbackup {

SteadyTime CleanupClock::End() {
  const std::lock_guard lock(mutex_);
  const SteadyTime end = environment_.SteadyNow() + window_;
  if (!job_.IsCancelled()) return end;
  if (!end_after_cancel_) end_after_cancel_ = end;
  return *end_after_cancel_;
}

MultipartWriter::MultipartWriter(const WriterContext& context, std::string key,
                                 const PutOptions& options)
    : context_(context), key_(std::move(key)), options_(options) {
  std::array<std::byte, 16> random;
  context_.bucket.client().environment().FillRandom(random);
  write_id_ = ToHex(random);
}

HttpHeaders MultipartWriter::ObjectHeaders() const {
  HttpHeaders headers = context_.object_options.ForObject(
      context_.bucket.client().environment().Now(), options_.lock);
  headers.emplace_back("content-type", options_.content_type);
  headers.emplace_back(kWriteIdHeader, write_id_);
  return headers;
}

CallControl MultipartWriter::Control() const {
  return {{&context_.job, &stop_}, std::nullopt};
}

void MultipartWriter::Write(std::span<const std::byte> data) {
  if (state_ != State::kOpen)
    throw Error(ErrorKind::kInternal, "write to a closed object: " + context_.bucket.Url(key_));
  context_.job.ThrowIfCancelled();
  if (size_ + data.size() > context_.limits.ObjectSize())
    throw Error(ErrorKind::kInvalid,
                "could not write " + context_.bucket.Url(key_) + ": it is too long",
                "One object takes " + std::to_string(context_.limits.parts) + " parts.",
                "Raise pgbackup.s3_part_size.");
  size_ += data.size();
  while (!data.empty()) {
    // A full buffer waits for the byte behind it: what fits into one part is a single PUT.
    if (buffer_ && buffer_->full()) SendPart();
    if (!buffer_) buffer_ = std::make_unique<PartBuffer>(context_.limits.part_size);
    if (!buffer_->slot && buffer_->size() + data.size() > kSmallPart)
      buffer_->slot = context_.slots.Acquire(&account_);
    data = data.subspan(buffer_->Append(data));
  }
}

void MultipartWriter::SendPart() {
  if (!buffer_->slot) buffer_->slot = context_.slots.Acquire(&account_);
  if (upload_id_.empty()) {
    HttpHeaders headers = ObjectHeaders();
    for (auto& header : context_.object_options.ForUpload()) headers.push_back(std::move(header));
    upload_id_ = context_.bucket.CreateUpload(key_, headers, &create_uncertain_, Control());
  }
  CollectParts(false);
  const int number = ++parts_sent_;
  auto upload = [this, number, part = std::move(buffer_)]() mutable {
    // Bytes and slot are gone before the result is there.
    const std::unique_ptr<PartBuffer> own = std::move(part);
    const BodyGuard guard = context_.object_options.Guard(own->bytes());
    return UploadedPart{
        context_.bucket.UploadPart(key_, upload_id_, number, own->bytes(), guard, Control()),
        guard.checksum};
  };
  try {
    in_flight_.push_back({number, std::async(std::launch::async, std::move(upload))});
  } catch (const std::system_error& error) {
    throw Error(ErrorKind::kUnavailable,
                "could not write " + context_.bucket.Url(key_) + ": could not start a thread",
                error.code().message() + ".", "Raise the limit of processes (ulimit -u).");
  }
}

// Takes the results of the parts that are through, or of all of them; throws what they threw.
void MultipartWriter::CollectParts(bool wait) {
  for (auto part = in_flight_.begin(); part != in_flight_.end();) {
    if (!wait && part->uploaded.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      ++part;
      continue;
    }
    Part done = std::move(*part);
    part = in_flight_.erase(part);
    parts_[done.number] = done.uploaded.get();
  }
}

void MultipartWriter::Finish() {
  if (state_ != State::kOpen)
    throw Error(ErrorKind::kInternal, "second finish of " + context_.bucket.Url(key_));
  context_.job.ThrowIfCancelled();
  if (options_.if_absent) RefuseExisting(false);
  const ObjectPlan plan = PlanObject(size_, context_.limits);
  if (plan.parts == 0)
    FinishSingle();
  else
    FinishMultipart(plan);
  state_ = State::kFinished;
  object_uncertain_ = false;
  buffer_.reset();
  upload_id_.clear();
  if (create_uncertain_) RemoveLostUploadsAfterSuccess();
}

void MultipartWriter::FinishSingle() {
  const auto bytes = buffer_ ? buffer_->bytes() : std::span<const std::byte>();
  const BodyGuard guard = context_.object_options.Guard(bytes);
  const auto put = [&](bool if_absent) {
    return context_.bucket.PutObject(key_, ObjectHeaders(), bytes, guard, if_absent,
                                     &object_uncertain_, Control());
  };
  WriteOutcome outcome = put(options_.if_absent);
  if (outcome == WriteOutcome::kUnsupported) {
    RefuseExisting(true);
    outcome = put(false);
  }
  // What is in the way may be our own, whose answer was lost.
  if (outcome == WriteOutcome::kExists && !(object_uncertain_ && IsWritten(Control())))
    ThrowExists();
}

void MultipartWriter::FinishMultipart(const ObjectPlan& plan) {
  SendPart();
  CollectParts(true);
  if (parts_.size() != plan.parts)
    throw Error(ErrorKind::kInternal, "could not write " + context_.bucket.Url(key_) + ": " +
                                          std::to_string(parts_.size()) + " parts were sent of " +
                                          std::to_string(plan.parts));
  const auto complete = [&](bool if_absent) {
    return context_.bucket.CompleteUpload(key_, upload_id_, parts_,
                                          context_.object_options.checksum_element(), if_absent,
                                          &object_uncertain_, Control());
  };
  std::optional<WriteOutcome> outcome = complete(options_.if_absent);
  if (outcome == WriteOutcome::kUnsupported) {
    RefuseExisting(true);
    outcome = complete(false);
  }
  if (outcome == WriteOutcome::kWritten) return;
  // An earlier try may have done it, and taken the upload away.
  if (object_uncertain_ && IsWritten(Control())) return;
  if (outcome == WriteOutcome::kExists) ThrowExists();
  throw Error(
      ErrorKind::kUnavailable,
      "could not write " + context_.bucket.Url(key_) + ": the unfinished upload has disappeared",
      {}, "Look for a lifecycle rule that removes unfinished uploads too early.");
}

// The check before a conditional write, for stores that ignore the condition. Who is not allowed to
// look relies on the condition, unless `must_know`.
void MultipartWriter::RefuseExisting(bool must_know) {
  try {
    if (context_.bucket.HeadObject(key_, Control())) ThrowExists();
  } catch (const Error& error) {
    if (must_know || error.kind() != ErrorKind::kDenied) throw;
  }
}

void MultipartWriter::ThrowExists() const {
  throw Error(ErrorKind::kAlreadyExists,
              "could not write " + context_.bucket.Url(key_) + ": it exists already");
}

bool MultipartWriter::IsWritten(const CallControl& control) const {
  const auto head = context_.bucket.HeadObject(key_, control);
  return head && head->size == size_ && head->write_id == write_id_;
}

void MultipartWriter::Abort() noexcept {
  if (state_ != State::kOpen) return;
  state_ = State::kAborted;
  stop_.Cancel();
  for (Part& part : in_flight_) part.uploaded.wait();
  in_flight_.clear();
  buffer_.reset();
  RemoveUploads();
  if (object_uncertain_) RemoveUncertainObject();
}

void MultipartWriter::RemoveUploads() noexcept {
  if (!upload_id_.empty())
    Cleanup([this](const CallControl& control) {
      context_.bucket.AbortUpload(key_, upload_id_, control);
    });
  if (create_uncertain_)
    Cleanup([this](const CallControl& control) { RemoveLostUploads(control); });
}

void MultipartWriter::RemoveLostUploads(const CallControl& control) const {
  context_.bucket.AbortUploads(
      key_, [this](const UploadPage::Upload& upload) { return upload.key == key_; }, control);
}

// Nobody sweeps up after a success, so this is as patient as writing was, and fails like it. Only a
// store that cannot list uploads, or does not let us, keeps what is lost.
void MultipartWriter::RemoveLostUploadsAfterSuccess() const {
  try {
    RemoveLostUploads(Control());
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kUnavailable || error.kind() == ErrorKind::kCancelled) throw;
  }
}

void MultipartWriter::RemoveUncertainObject() noexcept {
  Cleanup([this](const CallControl& control) {
    const auto head = context_.bucket.HeadObject(key_, control);
    if (head && head->write_id == write_id_) context_.bucket.DeleteObject(key_, control);
  });
}

// A step that may fail: what it leaves behind, Sweep finds.
void MultipartWriter::Cleanup(const std::function<void(const CallControl&)>& step) noexcept {
  try {
    const Cancellation nobody;
    step({{&nobody}, context_.cleanup.End()});
  } catch (...) {  // NOLINT(bugprone-empty-catch)
  }
}

}  // namespace pgbackup
