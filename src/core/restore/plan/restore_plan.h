// Which programs a restore runs on which objects, in which order. Pure: no server, no files.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/archive/archive_toc.h"
#include "core/job/job.h"
#include "core/manifest/manifest.h"
#include "core/restore/plan/archived_code.h"
#include "core/restore/plan/object_parts.h"
#include "core/restore/plan/restore_schedule.h"

namespace pgbackup {

struct RestoreTask {
  std::string phase;                   // for people: what the restore does until this task is done
  size_t object = 0;                   // index into the manifest's objects
  std::string program;                 // empty: the object is fed to a COPY of ours
  std::vector<std::string> arguments;  // what comes behind the connection's switches
  std::optional<std::string> list;     // the entries to restore (-L); none: all
  std::string what;                    // what the program works on, for messages
  // True: the object, or as much of it as the task needs, is small or read more than once, so it
  // is kept in memory and the program gets a path. False: it is streamed to the program's standard
  // input.
  bool from_memory = false;
  uint64_t cost = 0;          // about as many as raw bytes of rows that take as long
  std::vector<size_t> after;  // tasks that have to be done before, all of smaller index
};

struct RestorePlan {
  // A dump of selected schemas creates "public" if it is among them; a new database has it already.
  bool drop_public_schema = false;
  std::vector<std::string> schemas_to_create;  // single tables come without their schemas
  std::vector<RestoreTask> tasks;
};

// What the plan has to know of the objects beside the manifest.
struct RestoreContents {
  // Of each object, its tables in the encoding of the archives.
  std::vector<std::vector<QualifiedName>> tables;
  // Of the archive that is restored from memory; none when there is no such archive, or it is of a
  // version that is not known.
  std::optional<ArchiveToc> definitions;
  // Of objects with rows that may have to be split (load_order.h): what is in them.
  std::map<size_t, ArchiveToc> archives;
  std::vector<ObjectPart> parts;            // of each object; empty: all of all
  std::optional<std::set<int64_t>> wanted;  // entries of `definitions`; none: all
};

// kInvalid for what cannot be done with this backup.
void CheckRestorable(const Manifest& manifest, const RestoreOptions& options);

// True for the archive that holds definitions without rows, which is restored from memory.
bool IsDefinitions(const ManifestObject& object);

// True for an archive that holds definitions and rows. What precedes the rows, privileges among it,
// and what follows them is restored from its beginning, which is kept in memory; the rows are
// streamed. In one go, pg_restore would grant privileges last, and owners could lack them for what
// their constraints call while rows are loaded.
bool IsWholeArchive(const ManifestObject& object);

// Content kData stands for tables with their rows: nothing is built on them. Rows (the largest
// objects first) come after the definitions; those of tables that call code of the database are
// loaded last and one after the other (load_order.h). What is built on rows comes after them:
// indexes and constraints of a table with large objects of its own as soon as these are in, if they
// call no such code, everything else at the end.
RestorePlan MakeRestorePlan(const Manifest& manifest, const RestoreOptions& options,
                            const RestoreContents& contents);

std::vector<ScheduledTask> ScheduleOf(const RestorePlan& plan);

// Has pg_restore put everything into the database's own tablespace.
void LeaveOutTablespaces(RestorePlan* plan);

// The objects that the plan's tasks read, and the raw bytes that they read. An archive that has to
// be split is read once for each turn of its tables.
std::set<size_t> ObjectsToRead(const RestorePlan& plan);
uint64_t BytesToRead(const Manifest& manifest, const RestorePlan& plan);

}  // namespace pgbackup
