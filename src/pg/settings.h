// The settings pgbackup.*: read at SIGHUP, the home database at server start.
//
// A value that a check hook refuses never gets here, so readers need not check again.
#pragma once

#include "pg/server.h"
#include "shared/s3_options.h"

namespace pgbackup {

// Values owned by the server's GUC machinery, by their types; empty strings mean "not set".
struct Settings {
  char* home_database;
  char* databases;
  char* schedule;
  char* timezone;
  char* storage;
  char* storage_copies;
  char* name_template;
  char* cluster_name;
  char* environment;
  char* compression;
  char* encryption_recipients;
  char* identity_file;
  char* manifest_key_file;
  char* passphrase_file;
  char* bin_directory;
  char* dump_conninfo;
  char* restore_passkey;  // a hash
  char* cleanup_schedule;
  char* verify_schedule;
  char* bound_extensions;
  char* pre_backup_command;
  char* post_backup_command;
  char* pre_backup_sql;
  char* post_backup_sql;
  char* hook_databases;  // where the two before this run
  char* webhook_url_file;
  char* webhook_template;
  char* notify_email;
  char* smtp_file;
  double min_size_ratio;  // part of the usual size
  int format;
  int jobs;
  int parallel_threshold;  // kilobytes
  int split_table_size;    // kilobytes
  int max_concurrent;
  int bandwidth_limit;  // kilobytes per second, 0: no limit
  int max_size;         // megabytes, 0: no limit
  int nice;
  int lock_wait_timeout;     // milliseconds
  int lock_guard_timeout;    // milliseconds, 0: off
  int retry_count;           // 0: none
  int retry_delay;           // seconds
  int timeout;               // seconds, 0: none
  int stall_timeout;         // seconds, 0: none
  int hook_timeout;          // seconds
  int recent_backup_window;  // seconds, 0: off
  int keep_replaced;         // seconds, 0: for ever
  int max_backup_age;        // seconds, 0: any
  int max_proof_age;         // seconds, 0: any
  int max_xmin_age;          // transactions
  int catch_up_window;       // seconds, 0: catch up nothing
  int jitter;                // seconds
  int verify_level;
  int notify_on;
  int log_level;  // a LogLevel
  int webhook_format;
  int retention_count;  // 0: no such rule, as for the next five
  int retention_days;
  int retention_daily;
  int retention_weekly;
  int retention_monthly;
  int retention_yearly;
  int retention_minimum;
  int history_days;  // 0: for ever
  bool include_globals;
  bool safety_backup;
  S3Values<char*, int> s3;
};

extern Settings settings;

// Defines them all. Called once, while the server preloads the library.
void DefineSettings();

// The zone of schedules and of {time:…}: pgbackup.timezone, else the server's own.
pg_tz* ScheduleZone();

// The name of this cluster in storage: pgbackup.cluster_name, else the server's cluster_name with
// '/' turned into '-', else "main". The result is good until the next call.
const char* ClusterName();

// Splits a list such as pgbackup.databases ("*, -a, \"Odd, Name\"") into its elements, case kept.
// False when the syntax is wrong or nothing is selected. The list and its strings live in the
// current memory context.
bool SplitSelection(const char* text, List** elements);

}  // namespace pgbackup
