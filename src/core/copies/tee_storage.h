// The storage a backup is written to together with its copies: Put goes to all of them, everything
// else concerns the primary alone.
//
// An object is cut where the least of them must cut it, so that the pieces, and with them the
// manifest, are the same everywhere.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/copies/copy_target.h"
#include "core/storage/storage.h"

namespace pgbackup {

using CopyTargets = std::vector<std::unique_ptr<CopyTarget>>;

class TeeStorage final : public Storage {
 public:
  // Both outlive this.
  TeeStorage(Storage& primary, const CopyTargets& copies);

  const std::string& url() const override { return primary_.url(); }
  uint64_t MaxObjectSize() const override { return max_object_size_; }
  std::unique_ptr<Sink> Put(const std::string& name, const PutOptions& options) override;
  void Get(const std::string& name, Sink& to, uint64_t offset, uint64_t length) override {
    primary_.Get(name, to, offset, length);
  }
  std::optional<ObjectInfo> Head(const std::string& name) override { return primary_.Head(name); }
  void List(const std::string& prefix,
            const std::function<void(const ObjectInfo&)>& each) override {
    primary_.List(prefix, each);
  }
  void Delete(const std::string& name) override { primary_.Delete(name); }
  SweepReport Sweep(const std::string& folder) override { return primary_.Sweep(folder); }
  std::string Presign(const std::string& name, int expires) override {
    return primary_.Presign(name, expires);
  }

 private:
  Storage& primary_;
  const CopyTargets& copies_;
  uint64_t max_object_size_;
};

}  // namespace pgbackup
