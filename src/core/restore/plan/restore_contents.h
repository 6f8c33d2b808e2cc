// Reads what a restore has to know of a backup beside its manifest, before it writes anything.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/job/job.h"
#include "core/postgres/postgres_connection.h"
#include "core/process/memory_file.h"
#include "core/progress/progress.h"
#include "core/restore/plan/archive_selection.h"
#include "core/restore/plan/bound_extensions.h"
#include "core/restore/plan/restore_plan.h"
#include "core/storage/storage.h"

namespace pgbackup {

// The object of the backup that holds the definitions of what is in the database. kInvalid when
// there is none.
size_t DefinitionsObject(const Manifest& manifest);

class ContentsReader {
 public:
  ContentsReader(const RestoreJob& job, Progress& progress) : job_(job), progress_(progress) {}

  // Reads the archive of definitions whole, verified, or the beginning of the archive that holds
  // everything; of other archives the beginnings when a part of the backup is restored, or their
  // rows may not be loaded all at once. The server behind `connection` converts names. kNotFound
  // for a name of the job that is not in the backup.
  void Read(Storage& storage, const Manifest& manifest, PostgresConnection& connection);

  const RestoreContents& contents() const noexcept { return contents_; }
  // Extensions that have to wait until the database has its name, if there are such
  // (bound().names), and what of the objects waits with them.
  const BoundExtensions& bound() const noexcept { return bound_; }
  const RestoreContents& held_back() const noexcept { return held_back_; }
  // The object of the manifest, or its beginning, where that is kept in memory; else null.
  const MemoryFile* InMemory(size_t object) const;
  // When a part of the backup is restored: what belongs to it, in the archives' encoding.
  const ArchiveSelection& selected() const noexcept { return selected_; }
  // What does not come although it was not excluded, a sentence without a full stop for each kind.
  std::vector<std::string> LeftOutInWords() const;

 private:
  void LoadDefinitions(Storage& storage, const Manifest& manifest, size_t object);
  void LoadHead(Storage& storage, const Manifest& manifest, size_t object);
  void LeaveOutDanglingGrants(const Manifest& manifest, PostgresConnection& connection);
  void ReadArchives(Storage& storage, const Manifest& manifest);
  void SelectParts(Storage& storage, const Manifest& manifest, const WantedParts& wanted,
                   const std::vector<QualifiedName>& tags);
  WantedParts Wanted(PostgresConnection& connection, const std::string& encoding) const;

  const RestoreJob& job_;
  Progress& progress_;
  RestoreContents contents_;
  BoundExtensions bound_;
  RestoreContents held_back_;
  std::map<size_t, std::unique_ptr<MemoryFile>> files_;
  ArchiveSelection selected_;
  std::vector<std::string> dangling_grants_;
};

}  // namespace pgbackup
