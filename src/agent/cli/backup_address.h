// How a backup is named on the command line, and which one that is.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>

#include "agent/cli/console.h"
#include "core/manifest/backup_inventory.h"
#include "core/run/run_context.h"

namespace pgbackup {

struct BackupFilter {
  std::string database, cluster;  // empty: any

  void AddTo(CLI::App& command);
  bool Fits(const Manifest& manifest) const {
    return (database.empty() || manifest.database == database) &&
           (cluster.empty() || manifest.cluster.name == cluster);
  }
};

struct BackupAddress {
  std::string name;  // an id, a file_name, the last part of one, or "latest"
  BackupFilter filter;

  // Returns the option that names the backup.
  CLI::Option* AddTo(CLI::App& command);
};

// The one backup that `address` names. kNotFound when there is none, UsageError, listing
// them, when there are several, kCorrupt when it is one whose manifest cannot be read. `warn` is
// told of manifests that cannot be read where the newest is looked for.
StoredBackup FindBackup(Storage& storage, const BackupAddress& address, Cancellation& cancellation,
                        const std::function<void(const std::string&)>& warn);

// Makes the job, of a kind that reads a backup, one of the backup that `address` names.
template <typename Job>
StoredBackup AimAtBackup(const BackupAddress& address, const RunContext& context, Job* job) {
  context.progress.SetPhase("looking for the backup");
  const auto storage = context.open_storage(context.cancellation);
  StoredBackup backup = FindBackup(*storage, address, context.cancellation, context.log);
  job->file_name = backup.folder;
  job->checksum = backup.checksum;
  return backup;
}

}  // namespace pgbackup
