#include "core/copies/copy_target.h"

#include <fmt/format.h>

#include "core/job/run_context.h"
#include "core/manifest/manifest_store.h"
#include "core/ownership/lease.h"

namespace pgbackup {
namespace {

// How often somebody who waits looks whether the run has ended or patience has.
constexpr std::chrono::milliseconds kLook{50};

}  // namespace

// The end of an object's queue that the backup writes to.
class CopyTarget::Input final : public Sink {
 public:
  Input(CopyTarget& target, Stream& stream) : target_(target), stream_(stream) {}
  ~Input() override { Abort(); }

  void Write(std::span<const std::byte> data) override { target_.Push(stream_, data); }

  void Finish() override {
    const std::lock_guard lock(target_.mutex_);
    stream_.finish = finished_ = true;
    target_.changed_.notify_all();
  }

  void Abort() noexcept override {
    if (finished_) return;
    finished_ = true;
    target_.Fail(std::make_exception_ptr(
        Error(ErrorKind::kCancelled, "the backup ended before the copy was complete")));
  }

 private:
  CopyTarget& target_;
  Stream& stream_;
  bool finished_ = false;
};

CopyTarget::CopyTarget(const Open& open, std::string folder, Claim claim, const CopyLimits& limits,
                       Environment& environment, const Cancellation& run)
    : folder_(std::move(folder)),
      claim_(std::move(claim)),
      limits_(limits),
      environment_(environment),
      run_(run),
      clock_(limits.patience, environment.SteadyNow()) {
  try {
    storage_ = open(own_);
  } catch (...) {
    Fail(std::current_exception());
  }
}

CopyTarget::~CopyTarget() {
  GiveUp(Error(ErrorKind::kCancelled, "the backup ended before the copy was complete"));
}

uint64_t CopyTarget::MaxObjectSize() const {
  const std::lock_guard lock(mutex_);
  return failure_ ? UINT64_MAX : storage_->MaxObjectSize();
}

std::unique_ptr<Sink> CopyTarget::Begin(const std::string& name) {
  std::unique_lock lock(mutex_);
  Stream& stream = streams_.emplace_back();
  stream.name = name;
  stream.ended = failure_.has_value();
  if (!stream.ended) {
    try {
      stream.thread = std::thread([this, &stream] { Store(stream); });
    } catch (...) {
      stream.ended = true;
      lock.unlock();
      Fail(std::current_exception());
    }
  }
  return std::make_unique<Input>(*this, stream);
}

void CopyTarget::Push(Stream& stream, std::span<const std::byte> data) {
  try {
    std::unique_lock lock(mutex_);
    if (failure_ || data.empty()) return;
    AwaitPatiently(lock, [&] { return stream.queued < limits_.queue_bytes; });
    if (failure_) return;
    stream.queue.emplace_back(data.begin(), data.end());
    stream.queued += data.size();
    changed_.notify_all();
  } catch (...) {
    Fail(std::current_exception());
  }
}

// Returns when `done` is true or the copy has failed, which it does when it takes too long.
void CopyTarget::AwaitPatiently(std::unique_lock<std::mutex>& lock,
                                const std::function<bool()>& done) {
  if (failure_ || done()) return;
  clock_.Begin(environment_.SteadyNow());
  while (!failure_ && !done()) {
    changed_.wait_for(lock, kLook);
    if (failure_ || done()) break;
    if (run_.IsCancelled())
      FailLocked(Error(ErrorKind::kCancelled, "the backup ended before the copy was complete"));
    else if (clock_.IsOver(environment_.SteadyNow()))
      FailLocked(Error(ErrorKind::kUnavailable,
                       fmt::format("{} was too slow for the backup", storage_->url()),
                       "The backup waited for it as long as it may wait for a copy.",
                       "It is copied from the backup's own storage later. If that happens often, "
                       "look at the connection to the copy's storage."));
  }
  clock_.End(environment_.SteadyNow());
}

// The thread of an object.
void CopyTarget::Store(Stream& stream) {
  try {
    std::call_once(folder_claimed_, [this] { ClaimTheFolder(); });
    const std::unique_ptr<Sink> sink = storage_->Put(stream.name);
    while (const auto block = Next(stream)) {
      sink->Write(*block);
      stream.stored += block->size();
    }
    sink->Finish();
  } catch (...) {
    Fail(std::current_exception());
  }
  const std::lock_guard lock(mutex_);
  stream.ended = true;
  stream.queue.clear();
  clock_.Moved(environment_.SteadyNow());
  changed_.notify_all();
}

void CopyTarget::ClaimTheFolder() {
  own_.ThrowIfCancelled();
  ClaimFolder(*storage_, folder_, claim_);
  {
    const std::lock_guard lock(mutex_);
    touched_ = true;
  }
  // What cannot be renewed is no failure of the copy.
  RenewLeaseQuietly(*storage_, claim_, [](const std::string&) {});
}

// The next bytes to store; nullopt when there are no more and all of them were good.
std::optional<std::vector<std::byte>> CopyTarget::Next(Stream& stream) {
  std::unique_lock lock(mutex_);
  clock_.Moved(environment_.SteadyNow());
  changed_.wait(lock, [&] { return failure_ || stream.finish || !stream.queue.empty(); });
  if (failure_) throw *failure_;
  if (stream.queue.empty()) return std::nullopt;
  std::vector<std::byte> block = std::move(stream.queue.front());
  stream.queue.pop_front();
  stream.queued -= block.size();
  changed_.notify_all();
  return block;
}

bool CopyTarget::AllEnded() const {
  for (const Stream& stream : streams_)
    if (!stream.ended) return false;
  return true;
}

void CopyTarget::Complete(std::string manifest) {
  const std::lock_guard lock(mutex_);
  if (failure_) return;
  closing_ = true;
  try {
    closer_ = std::thread([this, text = std::move(manifest)] { StoreTheManifest(text); });
  } catch (...) {
    closing_ = false;
    FailLocked(*OutcomeOf(std::current_exception(), true).error);
  }
}

void CopyTarget::StoreTheManifest(const std::string& manifest) {
  try {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return failure_ || AllEnded(); });
      if (failure_) throw *failure_;
    }
    ObjectSizes stored;
    for (const Stream& stream : streams_) stored[stream.name] = stream.stored;
    CheckBeforeManifest(*storage_, folder_, claim_.run_key, stored);
    StoreManifest(*storage_, folder_, manifest);
    const std::lock_guard lock(mutex_);
    complete_ = !failure_;
  } catch (...) {
    Fail(std::current_exception());
  }
  const std::lock_guard lock(mutex_);
  closing_ = false;
  changed_.notify_all();
}

void CopyTarget::Await() {
  {
    std::unique_lock lock(mutex_);
    AwaitPatiently(lock, [this] { return !closing_ && AllEnded(); });
  }
  Join();
}

void CopyTarget::GiveUp(Error why) noexcept {
  Fail(std::make_exception_ptr(std::move(why)));
  Join();
}

void CopyTarget::Join() noexcept {
  if (closer_.joinable()) closer_.join();
  for (Stream& stream : streams_)
    if (stream.thread.joinable()) stream.thread.join();
}

void CopyTarget::Fail(const std::exception_ptr& failure) noexcept {
  const Error error = *OutcomeOf(failure, true).error;
  const std::lock_guard lock(mutex_);
  FailLocked(error);
}

void CopyTarget::FailLocked(Error why) {
  if (failure_ || complete_) return;
  if (why.kind() == ErrorKind::kAlreadyExists) touched_ = false;
  failure_ = std::move(why);
  own_.Cancel();
  changed_.notify_all();
}

std::optional<Error> CopyTarget::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

bool CopyTarget::HasTouchedTheFolder() const {
  const std::lock_guard lock(mutex_);
  return touched_;
}

}  // namespace pgbackup
