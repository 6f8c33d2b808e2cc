// Where a lane's bytes go: compressed, perhaps encrypted, hashed and stored as one object of the
// backup.
#pragma once

#include <memory>

#include "core/age/encryption.h"
#include "core/base/environment.h"
#include "core/dump/dump_plan.h"
#include "core/manifest/manifest.h"
#include "core/manifest/segment_sink.h"
#include "core/pipeline/count_sink.h"
#include "core/progress/progress.h"
#include "core/storage/storage.h"
#include "shared/compression.h"

namespace pgbackup {

struct LaneOutputContext {
  Storage& storage;
  std::string folder;
  Compression compression;
  Progress& progress;
  Environment& environment;
  const EncryptionKeys* keys = nullptr;  // null: in clear
  std::string key_in_names = {};         // of the run, see WithRunKey; empty: names go without
};

class LaneOutput {
 public:
  // Begins the object `<object.name>` with the suffixes of the codec and of encryption. What the
  // context refers to outlives this.
  LaneOutput(const DumpObject& object, const LaneOutputContext& context);

  const std::string& name() const noexcept { return result_.name; }
  Sink& sink() noexcept { return *chain_; }
  void SetFingerprints(std::vector<TableFingerprint> fingerprints) {
    result_.fingerprints = std::move(fingerprints);
  }

  // Called once, when the producer has succeeded: the object is there when it returns.
  ManifestObject Finish();
  // Leaves nothing, as does destruction before Finish.
  void Abort() noexcept { chain_->Abort(); }

 private:
  ManifestObject result_;
  const size_t folder_size_;
  const SegmentSink* stored_ = nullptr;  // the chain's last
  std::unique_ptr<CountSink> chain_;
};

}  // namespace pgbackup
