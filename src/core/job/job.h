// The job an agent does, as it comes on standard input: docs/job-protocol.md.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/age/encryption.h"
#include "core/age/secret.h"
#include "core/manifest/backup_format.h"
#include "core/manifest/instance.h"
#include "core/manifest/manifest.h"
#include "core/manifest/manifest_key.h"
#include "core/manifest/marks.h"
#include "core/postgres/server_address.h"
#include "core/storage_backends/open_storage.h"
#include "shared/compression.h"
#include "shared/passkey_hash.h"

namespace pgbackup {

inline constexpr int64_t kJobProtocol = 1;

// Of runs of the command line, as pgbackup.stall_timeout is by default.
inline constexpr std::chrono::seconds kStallTimeout{3600};

// Extensions that can be created in one database only, as pgbackup.bound_extensions is by default:
// see core/restore/plan/bound_extensions.h.
inline const std::vector<std::string> kBoundExtensions = {"pg_cron"};

// What every job has.
struct JobBase {
  int64_t id = 0;
  ServerAddress server;
  StorageSettings storage;
  std::string file_name;  // the backup's folder
  EncryptionSettings encryption;
  ManifestKeySettings manifest_key;
  int64_t nice = 0;                       // added to the agent's priority, 0-19
  std::chrono::seconds stall_timeout{0};  // without any progress; 0: off
};

struct BackupOptions {
  SelectionNames selection;
  DumpContent content = DumpContent::kAll;
  DumpFormat format = DumpFormat::kAuto;
  uint64_t parallel_threshold = 256ull << 20;  // bytes; kAuto goes parallel from here
  uint64_t split_bytes = 16ull << 30;          // a table above this is dumped in ranges of pages
  int64_t jobs = 2;
  std::string compression_text = "zstd:3";
  Compression compression;
  bool include_globals = true;
  int64_t lock_wait_timeout_ms = 60000;
  int64_t lock_guard_timeout_ms = 60000;  // 0: off
  std::vector<std::string> bound_extensions = kBoundExtensions;
};

// What a site wants done around a backup.
struct BackupHooks {
  std::vector<std::string> pre_command, post_command;  // argv; empty: none
  std::string pre_sql, post_sql;                       // run in the database; empty: none
  int64_t timeout_s = 60;                              // for each of them
};

struct BackupJob : JobBase {
  std::string run_key;          // see core/ownership/claim.h
  bool name_is_unique = false;  // `file_name`: no other run of any server has it (NamesAreUnique)
  std::string database;
  ManifestCluster cluster;
  std::string backup_type, created_by, created_at;
  std::optional<std::string> schedule, label;
  BackupOptions options;
  std::vector<StorageSettings> copies;  // where else it goes
  BackupHooks hooks;
  uint64_t max_size = 0;  // bytes that may be stored; 0: any
};

// What a restore does when the server refuses an entry of the backup.
enum class OnError { kStop, kContinue };

// kInvalid for anything but "stop" and "continue".
OnError ParseOnError(const std::string& text);

struct RestoreOptions {
  std::vector<std::string> schemas, tables;
  std::vector<std::string> exclude_schemas, exclude_tables, exclude_table_data;
  DumpContent content = DumpContent::kAll;
  OnError on_error = OnError::kStop;
  int64_t jobs = 2;
  bool replace = false;         // a target that holds something is swapped for what was restored
  bool dry_run = false;         // all checks, no change
  bool create_roles = false;    // those that are missing, from the backup's globals
  bool statistics = true;       // are gathered for the planner when everything is in
  bool no_tablespaces = false;  // everything goes into the default one
  int64_t lock_wait_timeout_ms = 60000;
  std::vector<std::string> coming_tablespaces;  // that a dry run is to take for there
  std::optional<std::string> into_schema;       // of the target, which stays otherwise as it is
  std::vector<std::string> bound_extensions = kBoundExtensions;
  bool scratch =
      false;  // only a proof: what has been restored is dropped, the target never looked at

  // Whether parts of the backup are named.
  bool ChoosesParts() const {
    return !schemas.empty() || !tables.empty() || !exclude_schemas.empty() ||
           !exclude_tables.empty() || !exclude_table_data.empty();
  }
};

struct RestoreJob : JobBase {
  int64_t backup_id = 0;
  std::string target_database;
  std::string staging_database;         // is filled first; empty: the run chooses a name
  std::optional<std::string> checksum;  // of the manifest
  std::string kept_database;            // what has the target's name gets this; empty: no catalog
  uint64_t raw_bytes_per_second = 0;    // that earlier restores brought; 0: unknown
  RestoreOptions options;
  std::vector<StorageSettings> copies;  // where else it is, should `storage` not have it
};

// Brings back what a restore has replaced; touches no storage.
struct UndoJob : JobBase {
  std::string target_database;
  std::string incoming_database;  // gets the target's name back
  std::string kept_database;      // the name that the target gets
};

// How much of a backup is proved.
enum class VerifyLevel {
  kChecksum,  // every object is what was stored, and decompresses to its end
  kArchive,   // pg_restore reads all of it, and its table of contents is as the manifest says
  kRestore,   // it is restored into a scratch database, which is dropped
};

// kInvalid for anything but "checksum", "archive" and "restore".
VerifyLevel ParseVerifyLevel(const std::string& text);

// Proves that a backup is good.
struct VerifyJob : JobBase {
  VerifyLevel level = VerifyLevel::kChecksum;
  std::string database;                 // that was backed up
  std::string staging_database;         // the scratch database; empty: the run chooses a name
  std::optional<std::string> checksum;  // of the manifest
  int64_t jobs = 2;
  int64_t lock_wait_timeout_ms = 60000;  // at level kRestore
  std::vector<std::string> bound_extensions = kBoundExtensions;
};

// Why objects are removed.
enum class RemoveReason {
  kDeleted,     // somebody has deleted the backup
  kExpired,     // retention has
  kUnfinished,  // a run has left them
};

struct RemoveJob : JobBase {
  RemoveReason reason = RemoveReason::kUnfinished;
  std::string run_key;  // empty: not known, of an older pgbackup's run
  Instance instance;    // the server that removes
  std::vector<std::string> earlier_system_identifiers;  // of its cluster
};

// Stores marks beside manifests.
struct StoredMarks {
  int64_t id = 0;  // of the backup or, in the storage of a copy, of the copy
  Marks marks;
};
struct MarksJob : JobBase {
  Instance instance;
  std::vector<StoredMarks> marks;
};

// Makes this server the one that may remove things from a storage.
struct TakeOverJob : JobBase {
  std::string token;  // of the catalog whose backups it takes over; empty: its own
  Instance instance;
  std::string cluster;
};

// Drops the database `target_database`, which a restore was filling or, with `kept_oid`, which one
// has replaced; touches no storage.
struct DropJob : JobBase {
  std::string target_database;
  std::optional<int64_t> kept_oid;
};

// Makes URLs that read the objects of a backup without credentials.
struct PresignJob : JobBase {
  std::vector<std::string> objects;  // names within the folder
  int64_t expires = 3600;            // seconds
};

// Copies a complete backup from `source` to `storage`.
struct CopyJob : JobBase {
  Instance instance;
  StorageSettings source;
  std::optional<std::string> checksum;  // of the manifest
};

// Somebody waits for a check's answer: what does not work within seconds is reported.
inline constexpr std::chrono::seconds kCheckPatience{5};

// Tries everything a backup needs. An empty storage URL: none is set.
struct CheckJob : JobBase {
  int64_t server_major = 0;   // of the server to be dumped; 0: the storage alone is checked
  uint64_t needed_bytes = 0;  // what a backup takes, 0 if unknown
  std::vector<std::string> databases;  // that are backed up,
  int64_t max_concurrent = 1;          // so many at a time,
  DumpFormat format = DumpFormat::kAuto;
};

// Looks for what unfinished runs have left, or removes it from the folders it is given.
struct JanitorJob : JobBase {
  Instance instance;
  int64_t older_than = 0;  // seconds; what is younger is somebody's
  bool remove = false;
  std::vector<std::string> folders, upload_folders;  // to remove objects and uploads from
};

// Tells which backups a storage holds, or what their manifests say.
struct InventoryJob : JobBase {
  std::vector<std::string> folders;  // to read the manifests of; none: only list the folders
};

// Tells what is in a backup.
struct ContentsJob : JobBase {
  std::optional<std::string> checksum;  // of the manifest
  std::vector<StorageSettings> copies;  // where else it is, should `storage` not have it
};

// Compares a passkey with the hash of the right one.
struct PasskeyJob : JobBase {
  PasskeyHash hash;
  std::optional<SecretText> passkey;  // none: nobody gave one
};

// Something that happened to a run, to be told to others.
struct RunNotice {
  int64_t id = 0;
  boost::json::object event;
  std::vector<std::string> targets;  // marks of those that it is for
};

// Tells webhooks what became of runs.
struct WebhookJob : JobBase {
  std::string url_file;       // holds their URLs
  std::string format;         // as pgbackup.webhook_format
  std::string body_template;  // for format template
  std::vector<RunNotice> notices;
};

// Tells people what became of runs, by e-mail.
struct MailJob : JobBase {
  std::string smtp_file;  // says how
  std::vector<std::string> recipients;
  std::vector<RunNotice> notices;
};

using Job = std::variant<BackupJob, RestoreJob, UndoJob, VerifyJob, RemoveJob, DropJob, PresignJob,
                         CopyJob, CheckJob, JanitorJob, InventoryJob, ContentsJob, PasskeyJob,
                         WebhookJob, MailJob, TakeOverJob, MarksJob>;

// Parses one line. kInvalid, naming the field, for anything that is not a job of this protocol.
Job ParseJob(std::string_view line);

}  // namespace pgbackup
