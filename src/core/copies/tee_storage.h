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
#include "core/storage/forwarding_storage.h"

namespace pgbackup {

using CopyTargets = std::vector<std::unique_ptr<CopyTarget>>;

class TeeStorage final : public ForwardingStorage {
 public:
  // Both outlive this.
  TeeStorage(Storage& primary, const CopyTargets& copies);

  uint64_t MaxObjectSize() const override { return max_object_size_; }
  std::unique_ptr<Sink> Put(const std::string& name, const PutOptions& options) override;

 private:
  const CopyTargets& copies_;
  uint64_t max_object_size_;
};

}  // namespace pgbackup
