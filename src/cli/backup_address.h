// How a backup is named on the command line, and which one that is.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "cli/backup_servers.h"
#include "cli/console.h"
#include "core/job/run_context.h"
#include "core/manifest/backup_inventory.h"

namespace pgbackup {

struct BackupFilter {
  std::string database, cluster;  // empty: any

  void AddTo(CLI::App& command);
  bool IsGiven() const { return !database.empty() || !cluster.empty(); }
  bool Fits(const Manifest& manifest) const {
    return (database.empty() || manifest.database == database) &&
           (cluster.empty() || manifest.cluster.name == cluster ||
            manifest.cluster.system_identifier == cluster || InstanceOf(manifest) == cluster);
  }
};

// That `backups` are all that are in `storage`, and `filter` fits none of them.
Error NoneFits(const Storage& storage, const BackupFilter& filter,
               const std::vector<StoredBackup>& backups);

struct BackupAddress {
  std::string name;  // an id, a file_name, the last part of one, or "latest"
  BackupFilter filter;

  // Returns the option that names the backup.
  CLI::Option* AddTo(CLI::App& command);
};

// The one backup that `address` names. kNotFound when there is none, UsageError, listing
// them, when there are several. Manifests that cannot be read, or are not signed as `keys` ask for
// (backup_inventory.h), are logged and passed over; when it is the only one that may be meant, what
// is wrong with it is thrown. A backup from the future is never the latest.
StoredBackup FindBackup(Storage& storage, const BackupAddress& address,
                        const ManifestKeySettings& keys, const RunContext& context);

// Makes the job, of a kind that reads a backup, one of the backup that `address` names.
template <typename Job>
StoredBackup AimAtBackup(const BackupAddress& address, const RunContext& context, Job* job) {
  context.progress.SetPhase("looking for the backup");
  const auto storage = context.open_storage(context.cancellation);
  StoredBackup backup = FindBackup(*storage, address, job->manifest_key, context);
  job->file_name = backup.folder;
  job->checksum = backup.checksum;
  return backup;
}

}  // namespace pgbackup
