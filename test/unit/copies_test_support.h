// What the tests of copies share: a storage whose writes a test can hold up or break.
#pragma once

#include <condition_variable>
#include <mutex>

#include "core/base/environment.h"
#include "core/manifest/manifest_name.h"
#include "core/storage/forwarding_storage.h"
#include "pipeline_test_support.h"

namespace pgbackup {

// A MemoryStorage, safe for several threads, that fails or stops after so many bytes. Claims always
// come through, and are not counted.
class TroubledStorage final : public Storage {
 public:
  explicit TroubledStorage(std::string url = "memory://copy", uint64_t max = 1 << 30)
      : url_(std::move(url)), memory_(max) {}

  uint64_t fail_after = UINT64_MAX;  // a write beyond this many bytes of all objects throws
  uint64_t hold_after = UINT64_MAX;  // a write beyond this many bytes waits for the cancellation
  const Cancellation* cancellation = nullptr;  // what interrupts such a wait

  const std::string& url() const override { return url_; }
  uint64_t MaxObjectSize() const override { return memory_.MaxObjectSize(); }
  std::unique_ptr<Sink> Put(const std::string& name, const PutOptions& options) override {
    const std::lock_guard lock(mutex_);
    if (name.ends_with(kClaimName)) {
      if (options.if_absent && memory_.objects.count(name) != 0)
        throw Error(ErrorKind::kAlreadyExists, "it exists");
      return std::make_unique<ClaimWriter>(this, name);
    }
    ++puts_;
    return std::make_unique<Writer>(this, memory_.Put(name, options));
  }
  void Get(const std::string& name, Sink& to, uint64_t offset, uint64_t length) override {
    const std::lock_guard lock(mutex_);
    memory_.Get(name, to, offset, length);
  }
  std::optional<ObjectInfo> Head(const std::string& name) override {
    const std::lock_guard lock(mutex_);
    return memory_.Head(name);
  }
  void List(const std::string& prefix,
            const std::function<void(const ObjectInfo&)>& each) override {
    const std::lock_guard lock(mutex_);
    memory_.List(prefix, each);
  }
  void Delete(const std::string& name) override {
    const std::lock_guard lock(mutex_);
    memory_.Delete(name);
  }
  WallTime Now() const override { return memory_.Now(); }
  void ListUnfinished(const std::string& prefix,
                      const std::function<void(const UnfinishedUpload&)>& each) override {
    memory_.ListUnfinished(prefix, each);
  }
  void AbortUnfinished(const UnfinishedUpload& upload) override { memory_.AbortUnfinished(upload); }
  // But for claims.
  std::map<std::string, std::string> objects() const {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::string> objects = memory_.objects;
    std::erase_if(objects, [](const auto& each) { return each.first.ends_with(kClaimName); });
    return objects;
  }
  bool HasClaim(const std::string& folder) const {
    const std::lock_guard lock(mutex_);
    return memory_.objects.count(folder + "/" + std::string(kClaimName)) != 0;
  }
  void Store(const std::string& name, const std::string& text) { memory_.objects[name] = text; }
  int puts() const {
    const std::lock_guard lock(mutex_);
    return puts_;
  }

 private:
  class Writer final : public Sink {
   public:
    Writer(TroubledStorage* storage, std::unique_ptr<Sink> next)
        : storage_(storage), next_(std::move(next)) {}
    void Write(std::span<const std::byte> data) override {
      const uint64_t total = storage_->Count(data.size());
      if (total > storage_->fail_after) throw Error(ErrorKind::kUnavailable, "the disk is gone");
      if (total > storage_->hold_after) {
        SystemEnvironment()->Sleep(std::chrono::minutes(1), *storage_->cancellation);
        storage_->cancellation->ThrowIfCancelled();
      }
      next_->Write(data);
    }
    void Finish() override {
      const std::lock_guard lock(storage_->mutex_);
      next_->Finish();
    }
    void Abort() noexcept override { next_->Abort(); }

   private:
    TroubledStorage* storage_;
    std::unique_ptr<Sink> next_;
  };

  class ClaimWriter final : public Sink {
   public:
    ClaimWriter(TroubledStorage* storage, std::string name)
        : storage_(storage), name_(std::move(name)) {}
    void Write(std::span<const std::byte> data) override {
      text_.append(reinterpret_cast<const char*>(data.data()), data.size());
    }
    void Finish() override {
      const std::lock_guard lock(storage_->mutex_);
      storage_->memory_.objects[name_] = text_;
    }
    void Abort() noexcept override {}

   private:
    TroubledStorage* storage_;
    std::string name_, text_;
  };

  uint64_t Count(size_t bytes) {
    const std::lock_guard lock(mutex_);
    return written_ += bytes;
  }

  std::string url_;
  mutable std::mutex mutex_;
  MemoryStorage memory_;
  uint64_t written_ = 0;
  int puts_ = 0;
};

// Hands a storage that the test keeps to something that wants to own one.
using BorrowedStorage = ForwardingStorage;

}  // namespace pgbackup
