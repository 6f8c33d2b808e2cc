#include "core/restore/plan/readable_backup.h"

#include <fmt/format.h>

#include "core/manifest/encrypted_contents.h"
#include "core/manifest/manifest_store.h"

namespace pgbackup {

ReadableBackup OpenReadableBackup(const JobBase& job, const std::optional<std::string>& checksum,
                                  const std::vector<StorageSettings>& copies,
                                  const RunContext& context) {
  std::optional<Error> first;
  for (size_t i = 0; i <= copies.size(); ++i) {
    try {
      ReadableBackup backup;
      backup.storage = i == 0 ? context.open_storage(context.cancellation)
                              : context.open_at(copies[i - 1], context.cancellation);
      backup.manifest = ReadManifest(*backup.storage, job.file_name, checksum, job.manifest_key);
      OpenEncryptedBackup(*backup.storage, job.file_name, job.encryption, context.progress,
                          &backup.manifest);
      if (i > 0) backup.copy = backup.storage->url();
      return backup;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCancelled) throw;
      if (!copies.empty())
        context.log(fmt::format("cannot read {}: {}", i == 0 ? "the backup's storage" : "a copy",
                                error.message()));
      if (!first) first = error;
    }
  }
  throw *first;
}

}  // namespace pgbackup
