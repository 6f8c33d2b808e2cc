// SQL expressions that build the job an agent gets (docs/job-protocol.md), shared by all kinds.
//
// The JSON is built by the server itself from the row and the settings: one place quotes it all.
#pragma once

#include "pg/transaction.h"

namespace pgbackup {

// Arguments $1 … $6 that kServerJson and kStorageJson refer to; add them first, in this order.
void AddJobArguments(SqlArguments* arguments, int64 run_id);

// Expression for the job's `server` member. The user is the owner of the extension or, when that is
// no superuser any more, the bootstrap superuser, whose all that belongs to the extension is.
#define PGBACKUP_SERVER_JSON                                                          \
  "jsonb_build_object('host', $2, 'port', $3, 'user', "                               \
  "(SELECT r.rolname FROM pg_roles r LEFT JOIN pg_extension e ON r.oid = e.extowner " \
  " AND e.extname = 'pgbackup' WHERE r.oid = 10 OR e.oid IS NOT NULL AND r.rolsuper " \
  " ORDER BY e.oid LIMIT 1), 'maintenance_database', current_database(), "            \
  "'conninfo', current_setting('pgbackup.dump_conninfo'), 'bin_directory', $4, "      \
  "'must_be_confined', true)"

// Expression for the job's `storage` member; `url` is an SQL expression.
#define PGBACKUP_STORAGE_JSON(url)                                                  \
  "jsonb_build_object('url', " url                                                  \
  ", 'bandwidth_limit', pg_size_bytes(current_setting('pgbackup.bandwidth_limit'))" \
  ", 's3', $5::jsonb)"

// Expression for the job's `encryption` member; behind it stands the member `manifest_key_file`,
// because jobs that need one need the other.
#define PGBACKUP_ENCRYPTION_JSON                                                         \
  "jsonb_build_object('recipients', current_setting('pgbackup.encryption_recipients'), " \
  "'identity_file', current_setting('pgbackup.identity_file'), "                         \
  "'passphrase_file', current_setting('pgbackup.passphrase_file')), "                    \
  "'manifest_key_file', current_setting('pgbackup.manifest_key_file')"

// Expression for the job's `copies` member; `from` is an SQL FROM list of copies c, and what
// follows.
#define PGBACKUP_COPIES_JSON(from) \
  "(SELECT coalesce(jsonb_agg(" PGBACKUP_STORAGE_JSON("c.storage") " ORDER BY c.id), '[]') " \
  "FROM " from ")"

// For that: the complete copies of backup b.
#define PGBACKUP_COMPLETE_COPIES \
  "pgbackup.copies c WHERE c.backup_id = b.id AND c.status = 'completed'"

// Expression for the job's `cluster` member; needs $6.
#define PGBACKUP_CLUSTER_JSON(name)                                                \
  "jsonb_build_object('name', " name                                               \
  ", 'environment', current_setting('pgbackup.environment'), "                     \
  "'system_identifier', $6, 'server_version', current_setting('server_version'), " \
  "'server_version_num', current_setting('server_version_num')::int)"

// Member `instance` of the jobs that write to a storage or remove from it.
#define PGBACKUP_INSTANCE_JSON "'instance', pgbackup._instance()"

// Member `nice` of the jobs that nobody waits for.
#define PGBACKUP_NICE_JSON "'nice', current_setting('pgbackup.nice')::int"

// Member `stall_timeout` of a job, in seconds.
#define PGBACKUP_STALL_JSON              \
  "'stall_timeout', extract(epoch FROM " \
  "current_setting('pgbackup.stall_timeout')::interval)::bigint"

// Expression for the extensions that come last in a restore, to be added to its options.
#define PGBACKUP_BOUND_EXTENSIONS_JSON                                        \
  "jsonb_build_object('bound_extensions', ARRAY(SELECT btrim(e) FROM "        \
  "regexp_split_to_table(current_setting('pgbackup.bound_extensions'), ',') " \
  "AS e WHERE btrim(e) <> ''))"

// Expression for the limit of a restore's waits, to be added to its options.
#define PGBACKUP_LOCK_WAIT_JSON                                     \
  "jsonb_build_object('lock_wait_timeout_ms', (extract(epoch FROM " \
  "current_setting('pgbackup.lock_wait_timeout')::interval) * 1000)::bigint)"

// Member `max_size` of a backup's job.
#define PGBACKUP_MAX_SIZE_JSON "'max_size', pg_size_bytes(current_setting('pgbackup.max_size'))"

// Expression for the member `hooks` of the job of backup b.
#define PGBACKUP_HOOKS_JSON                                                             \
  "jsonb_build_object('pre_command', "                                                  \
  "nullif(current_setting('pgbackup.pre_backup_command'), '')::jsonb, 'post_command', " \
  "nullif(current_setting('pgbackup.post_backup_command'), '')::jsonb, "                \
  "'pre_sql', pgbackup._hook_sql('pre_backup_sql', b.database), "                       \
  "'post_sql', pgbackup._hook_sql('post_backup_sql', b.database), "                     \
  "'timeout', extract(epoch FROM current_setting('pgbackup.hook_timeout')::interval)::bigint)"

// A job's text as the agent reads it: well-formed UTF-8 whatever names are in it, in `context`.
char* JobText(const char* json, MemoryContext context);

}  // namespace pgbackup
