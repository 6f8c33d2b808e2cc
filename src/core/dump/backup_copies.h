// The copies that a backup's job asks for, from the first byte to what became of each.
//
// Nothing of it throws what a copy met: the backup is good whatever its copies do.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "core/copies/tee_storage.h"
#include "core/job/job.h"
#include "core/job/run_context.h"

namespace pgbackup {

class BackupCopies {
 public:
  // Both outlive this. Nothing is opened before Begin.
  BackupCopies(const BackupJob& job, const RunContext& context) : job_(job), context_(context) {}

  void Begin(const Claim& claim);

  // As many as the job has, in its order; none before Begin.
  const CopyTargets& targets() const noexcept { return targets_; }

  // Lets them end, with the backup's manifest, and returns what became of each: an object with
  // "storage", "completed" and, of one that failed, the fields of its error.
  boost::json::array Complete(const std::string& manifest);

  // Ends them, since the backup has failed. Returns those whose folders may hold something of it.
  std::vector<StorageSettings> GiveUp();

 private:
  const BackupJob& job_;
  const RunContext& context_;
  CopyTargets targets_;
};

}  // namespace pgbackup
