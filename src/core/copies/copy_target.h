// One copy of a backup while the backup is being made.
//
// The copy has threads of its own, one for each object under way, behind queues of bounded size: it
// may lag behind the primary, and its trouble is its own. The first failure of any object gives the
// whole copy up, and from then on everything written to it is dropped. So does holding the backup
// up for too long (patience.h), and the end of the run.
//
// The manifest is stored last, like the primary's, and only on request: when the primary has its
// own. Where the folder holds a backup already, nothing is touched.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/environment.h"
#include "core/base/error.h"
#include "core/copies/patience.h"
#include "core/ownership/claim.h"
#include "core/pipeline/sink.h"
#include "core/storage/storage.h"

namespace pgbackup {

struct CopyLimits {
  Patience patience;
  size_t queue_bytes = 8u << 20;  // for each object under way
};

class CopyTarget {
 public:
  using Open = std::function<std::unique_ptr<Storage>(const Cancellation&)>;

  // `folder` is the backup's, and `claim` what makes it the backup's there, too. `run` and
  // `environment` outlive this. Never throws: a storage that cannot be opened is the copy's
  // failure.
  CopyTarget(const Open& open, std::string folder, Claim claim, const CopyLimits& limits,
             Environment& environment, const Cancellation& run);
  // Gives up what is under way.
  ~CopyTarget();
  CopyTarget(const CopyTarget&) = delete;
  CopyTarget& operator=(const CopyTarget&) = delete;

  // The most bytes one object can hold; UINT64_MAX for a copy that has failed.
  uint64_t MaxObjectSize() const;

  // Begins an object. The sink throws nothing; its Finish does not wait for the storage, and its
  // Abort gives the copy up, because the backup has failed. Does not outlive this.
  std::unique_ptr<Sink> Begin(const std::string& name);

  // Stores the manifest as soon as every object is stored; returns at once. No object may be begun
  // after that.
  void Complete(std::string manifest);

  // Waits until all that was begun has ended, well or not.
  void Await();

  // Ends everything now and waits for it.
  void GiveUp(Error why) noexcept;

  // Why the copy is not complete; nullopt when it is. Valid after Await or GiveUp.
  std::optional<Error> failure() const;

  // Whether there may be something of this run in the folder.
  bool HasTouchedTheFolder() const;

 private:
  class Input;
  struct Stream {
    std::string name;
    std::deque<std::vector<std::byte>> queue;
    size_t queued = 0;    // bytes
    uint64_t stored = 0;  // bytes, of its thread until it has ended
    bool finish = false;
    bool ended = false;
    std::thread thread;
  };

  void ClaimTheFolder();
  void Push(Stream& stream, std::span<const std::byte> data);
  void Store(Stream& stream);
  std::optional<std::vector<std::byte>> Next(Stream& stream);
  void StoreTheManifest(const std::string& manifest);
  bool AllEnded() const;  // with mutex_ held
  void Fail(const std::exception_ptr& failure) noexcept;
  void FailLocked(Error why);
  void AwaitPatiently(std::unique_lock<std::mutex>& lock, const std::function<bool()>& done);
  void Join() noexcept;

  const std::string folder_;
  const Claim claim_;
  const CopyLimits limits_;
  Environment& environment_;
  const Cancellation& run_;
  Cancellation own_;
  std::unique_ptr<Storage> storage_;
  std::once_flag folder_claimed_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  HoldUpClock clock_;
  std::list<Stream> streams_;
  std::thread closer_;
  bool closing_ = false;
  bool complete_ = false;
  bool touched_ = false;
  std::optional<Error> failure_;
};

}  // namespace pgbackup
