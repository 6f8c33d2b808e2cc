// A storage that passes everything on to another one: what a storage that changes one thing about
// another derives from.
#pragma once

#include "core/storage/storage.h"

namespace pgbackup {

class ForwardingStorage : public Storage {
 public:
  // `next` outlives this.
  explicit ForwardingStorage(Storage& next) : next_(next) {}

  const std::string& url() const override { return next_.url(); }
  uint64_t MaxObjectSize() const override { return next_.MaxObjectSize(); }
  WallTime Now() const override { return next_.Now(); }
  StorageSigns Signs() const override { return next_.Signs(); }
  std::unique_ptr<Sink> Put(const std::string& name, const PutOptions& options) override {
    return next_.Put(name, options);
  }
  void Get(const std::string& name, Sink& to, uint64_t offset, uint64_t length) override {
    next_.Get(name, to, offset, length);
  }
  std::optional<ObjectInfo> Head(const std::string& name) override { return next_.Head(name); }
  void List(const std::string& prefix,
            const std::function<void(const ObjectInfo&)>& each) override {
    next_.List(prefix, each);
  }
  void ListReadable(const std::string& prefix, const EachObject& each,
                    const EachUnlisted& unlisted) override {
    next_.ListReadable(prefix, each, unlisted);
  }
  void Delete(const std::string& name) override { next_.Delete(name); }
  bool IsRemovable(const std::string& name) override { return next_.IsRemovable(name); }
  void ListUnfinished(const std::string& prefix,
                      const std::function<void(const UnfinishedUpload&)>& each) override {
    next_.ListUnfinished(prefix, each);
  }
  void AbortUnfinished(const UnfinishedUpload& upload) override { next_.AbortUnfinished(upload); }
  bool CreatesAtomically() const override { return next_.CreatesAtomically(); }
  std::string Presign(const std::string& name, int expires) override {
    return next_.Presign(name, expires);
  }
  Surroundings LookAround() override { return next_.LookAround(); }
  bool Probe(const ProbeRequest& request, ProbeReport& report) override {
    return next_.Probe(request, report);
  }

 private:
  Storage& next_;
};

}  // namespace pgbackup
