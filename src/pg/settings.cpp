#include "pg/settings.h"

#include <iterator>
#include <utility>

#include "pg/setting_checks.h"
#include "shared/naming/name_template.h"

namespace pgbackup {

Settings settings;

namespace {

const config_enum_entry kFormats[] = {{"auto", 0, false},
                                      {"parallel", 1, false},
                                      {"custom", 2, false},
                                      {"plain", 3, false},
                                      {nullptr, 0, false}};

const config_enum_entry kNotifyOn[] = {
    {"failures", 0, false}, {"all", 1, false}, {"none", 2, false}, {nullptr, 0, false}};

// In the order of LogLevel.
const config_enum_entry kLogLevels[] = {{"debug1", 0, false},
                                        {"log", 1, false},
                                        {"warning", 2, false},
                                        {"error", 3, false},
                                        {nullptr, 0, false}};

const config_enum_entry kWebhookFormats[] = {{"json", 0, false},       {"slack", 1, false},
                                             {"mattermost", 2, false}, {"discord", 3, false},
                                             {"teams", 4, false},      {"healthchecks", 5, false},
                                             {"template", 6, false},   {nullptr, 0, false}};

const config_enum_entry kProofLevels[] = {
    {"checksum", 0, false}, {"archive", 1, false}, {"restore", 2, false}, {nullptr, 0, false}};

void DefineText(const char* name, char** variable, const char* initial, const char* description,
                GucStringCheckHook check = nullptr, GucContext context = PGC_SIGHUP,
                int flags = 0) {
  DefineCustomStringVariable(name, description, nullptr, variable, initial, context, flags, check,
                             nullptr, nullptr);
}

// One that names places, credentials or addresses: not for every role to read.
void DefinePrivateText(const char* name, char** variable, const char* initial,
                       const char* description, GucStringCheckHook check = nullptr) {
  DefineText(name, variable, initial, description, check, PGC_SIGHUP, GUC_SUPERUSER_ONLY);
}

void DefineNumber(const char* name, int* variable, int initial, int low, int high, int flags,
                  const char* description) {
  DefineCustomIntVariable(name, description, nullptr, variable, initial, low, high, PGC_SIGHUP,
                          flags, nullptr, nullptr, nullptr);
}

using S3Texts = S3Values<char*, int>;

template <size_t index>
bool CheckS3Option(char** value, void** extra, GucSource source) {
  constexpr const S3Option<S3Texts>& option = kS3Options<S3Texts>[index];
  if (option.is_file) return CheckAbsolutePath(value, extra, source);
  if (option.check == nullptr || *value == nullptr) return true;
  const char* error = nullptr;
  if (option.check(*value, &error)) return true;
  if (error != nullptr) GUC_check_errdetail("%s", error);
  if (option.example[0] != '\0')
    GUC_check_errhint("Use %s, for example %s.", option.wanted, option.example);
  else
    GUC_check_errhint("Use %s.", option.wanted);
  return false;
}

template <size_t index>
void DefineS3Option() {
  constexpr const S3Option<S3Texts>& option = kS3Options<S3Texts>[index];
  // The server keeps the pointers.
  const MemoryContext previous = MemoryContextSwitchTo(TopMemoryContext);
  const char* name = psprintf("pgbackup.s3_%s", option.name);
  const char* description = psprintf("%s.", option.description);
  MemoryContextSwitchTo(previous);
  const int flags = option.is_private ? GUC_SUPERUSER_ONLY : 0;
  if (option.text != nullptr)
    DefineText(name, &(settings.s3.*option.text), option.initial, description, CheckS3Option<index>,
               PGC_SIGHUP, flags);
  if (option.number != nullptr)
    DefineNumber(name, &(settings.s3.*option.number), option.initial_number, option.least,
                 option.most, flags | (option.unit == 1 ? 0 : GUC_UNIT_MB), description);
  if (option.flag != nullptr)
    DefineCustomBoolVariable(name, description, nullptr, &(settings.s3.*option.flag), false,
                             PGC_SIGHUP, flags, nullptr, nullptr, nullptr);
}

void DefineWhenAndWhat() {
  DefineText("pgbackup.home_database", &settings.home_database, "postgres",
             "Database that holds the extension and its catalog.", nullptr, PGC_POSTMASTER);
  DefineText("pgbackup.databases", &settings.databases, "*",
             "Databases that schedules back up: *, names, names with % for any characters, and "
             "-name for all but that.",
             CheckDatabases);
  DefineText("pgbackup.schedule", &settings.schedule, "0 2 * * *",
             "When backups start, as a cron expression; empty for never.", CheckSchedule);
  DefineText("pgbackup.timezone", &settings.timezone, "",
             "Time zone of schedules and names; empty for the server's.", CheckTimezone);
  DefineNumber("pgbackup.catch_up_window", &settings.catch_up_window, 86400, 0, INT_MAX, GUC_UNIT_S,
               "How long after its time a run that was missed may still start; 0 for not at all.");
  DefineNumber("pgbackup.jitter", &settings.jitter, 0, 0, 86400, GUC_UNIT_S,
               "How long after its times a schedule may start, always the same for a cluster.");
  DefineNumber("pgbackup.max_concurrent", &settings.max_concurrent, 1, 1, 8, 0,
               "How many backups run at the same time.");
  DefineNumber("pgbackup.timeout", &settings.timeout, 0, 0, INT_MAX / 1000, GUC_UNIT_S,
               "Longest time a run may take; 0 for no limit.");
  DefineNumber("pgbackup.stall_timeout", &settings.stall_timeout, 3600, 0, INT_MAX / 1000,
               GUC_UNIT_S, "Longest time a run may make no progress; 0 for no limit.");
  DefineNumber("pgbackup.lock_wait_timeout", &settings.lock_wait_timeout, 30000, 1, INT_MAX,
               GUC_UNIT_MS,
               "How long a session of a run waits for a lock that another session holds.");
  DefineNumber(
      "pgbackup.lock_guard_timeout", &settings.lock_guard_timeout, 60000, 0, INT_MAX, GUC_UNIT_MS,
      "How long others wait for a table because of a dump, before that gives way; 0 for as "
      "long as it takes.");
  DefineNumber("pgbackup.retry_count", &settings.retry_count, 3, 0, 10, 0,
               "How often a backup that gave way, or could not lock its tables, is tried again.");
  DefineNumber("pgbackup.retry_delay", &settings.retry_delay, 300, 1, 86400, GUC_UNIT_S,
               "How long after the first failure; twice as long after each further one.");
  DefineNumber("pgbackup.recent_backup_window", &settings.recent_backup_window, 300, 0, INT_MAX,
               GUC_UNIT_S,
               "How recent a backup of a database has to be that a restore replaces; 0 for any.");
  DefineCustomBoolVariable(
      "pgbackup.safety_backup", "Whether a restore makes that backup itself when there is none.",
      nullptr, &settings.safety_backup, true, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  DefineText("pgbackup.restore_passkey", &settings.restore_passkey, "",
             "Hash of the passkey that replacing a database takes; empty for none.",
             CheckRestorePasskey, PGC_SIGHUP, GUC_SUPERUSER_ONLY);
  DefineText("pgbackup.bound_extensions", &settings.bound_extensions, "pg_cron",
             "Extensions that can be created in one database only, and come last in a restore.");
  DefineNumber(
      "pgbackup.keep_replaced", &settings.keep_replaced, 7 * 86400, 0, INT_MAX, GUC_UNIT_S,
      "How long cleanup() leaves databases alone that restores have replaced; 0 for ever.");
}

void DefineAlerts() {
  DefineNumber("pgbackup.max_backup_age", &settings.max_backup_age, 26 * 3600, 0, INT_MAX,
               GUC_UNIT_S,
               "Age of the newest backup from which health() is critical; 0 for any age.");
  DefineNumber("pgbackup.max_proof_age", &settings.max_proof_age, 0, 0, INT_MAX, GUC_UNIT_S,
               "Age of the last proof of a backup from which health() warns; 0 for any age.");
  DefineCustomRealVariable(
      "pgbackup.min_size_ratio",
      "Smallest size of a backup, as a part of the usual one, that is not suspicious.", nullptr,
      &settings.min_size_ratio, 0.5, 0, 1, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  DefineNumber("pgbackup.max_xmin_age", &settings.max_xmin_age, 100000000, 1, 2000000000, 0,
               "Transactions that a running backup may hold vacuum back by before health() warns.");
}

void DefineRetention() {
  DefineNumber("pgbackup.retention_count", &settings.retention_count, 0, 0, 100000, 0,
               "How many backups are kept of each database and schedule; 0 for no such rule.");
  DefineNumber("pgbackup.retention_days", &settings.retention_days, 0, 0, 36500, 0,
               "For how many days backups are kept; 0 for no such rule.");
  DefineNumber("pgbackup.retention_daily", &settings.retention_daily, 0, 0, 36500, 0,
               "Of how many days the last backup is kept; 0 for no such rule.");
  DefineNumber("pgbackup.retention_weekly", &settings.retention_weekly, 0, 0, 5200, 0,
               "Of how many weeks the last backup is kept; 0 for no such rule.");
  DefineNumber("pgbackup.retention_monthly", &settings.retention_monthly, 0, 0, 1200, 0,
               "Of how many months the last backup is kept; 0 for no such rule.");
  DefineNumber("pgbackup.retention_yearly", &settings.retention_yearly, 0, 0, 100, 0,
               "Of how many years the last backup is kept; 0 for no such rule.");
  DefineNumber("pgbackup.retention_minimum", &settings.retention_minimum, 1, 1, 100000, 0,
               "How many backups of each database and schedule stay whatever their age.");
  DefineText("pgbackup.cleanup_schedule", &settings.cleanup_schedule, "",
             "When retention is applied to all databases besides every hour, as a cron expression.",
             CheckSchedule);
  DefineText("pgbackup.verify_schedule", &settings.verify_schedule, "0 5 1 * *",
             "When the newest backup of each database is verified, as a cron expression; empty for "
             "never.",
             CheckSchedule);
  DefineCustomEnumVariable(
      "pgbackup.verify_level", "How thoroughly pgbackup.verify_schedule has backups verified.",
      nullptr, &settings.verify_level, 1, kProofLevels, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  DefineNumber("pgbackup.history_days", &settings.history_days, 365, 0, 36500, 0,
               "How many days the rows of expired backups are kept; 0 for ever.");
}

void DefineHow() {
  DefineCustomEnumVariable("pgbackup.format", "Layout of a backup.", nullptr, &settings.format, 0,
                           kFormats, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  DefineNumber("pgbackup.jobs", &settings.jobs, 2, 1, 64, 0, "Parallel lanes of one run.");
  DefineNumber("pgbackup.parallel_threshold", &settings.parallel_threshold, 256 * 1024, 0, INT_MAX,
               GUC_UNIT_KB, "Size from which format auto is parallel.");
  DefineNumber("pgbackup.split_table_size", &settings.split_table_size, 16 * 1024 * 1024, 1024,
               INT_MAX, GUC_UNIT_KB, "Size above which a table is dumped in several parts.");
  DefineText("pgbackup.compression", &settings.compression, "zstd:3",
             "Compression of stored objects.", CheckCompression);
  DefineCustomBoolVariable("pgbackup.include_globals",
                           "Whether a backup holds the roles and tablespaces of the cluster.",
                           nullptr, &settings.include_globals, true, PGC_SIGHUP, 0, nullptr,
                           nullptr, nullptr);
  DefineText("pgbackup.encryption_recipients", &settings.encryption_recipients, "",
             "Public keys (age1...) that new backups are encrypted for; empty for none.",
             CheckRecipients);
  DefinePrivateText("pgbackup.identity_file", &settings.identity_file, "",
                    "File with the secret keys that restores decrypt backups with.",
                    CheckAbsolutePath);
  DefinePrivateText(
      "pgbackup.passphrase_file", &settings.passphrase_file, "",
      "File with a passphrase that backups are encrypted with, when there are no recipients.",
      CheckAbsolutePath);
  DefinePrivateText(
      "pgbackup.manifest_key_file", &settings.manifest_key_file, "",
      "File with the keys that manifests are signed and checked with; empty for none.",
      CheckAbsolutePath);
  DefineNumber("pgbackup.bandwidth_limit", &settings.bandwidth_limit, 0, 0, INT_MAX, GUC_UNIT_KB,
               "Most that one run may store in a second; 0 for no limit.");
  DefineText("pgbackup.bin_directory", &settings.bin_directory, "",
             "Where pg_dump and pg_restore are; empty for beside the server.", CheckAbsolutePath,
             PGC_SIGHUP, GUC_SUPERUSER_ONLY);
  DefineText("pgbackup.dump_conninfo", &settings.dump_conninfo, "",
             "Connection parameters of dumps and restores, overriding socket, port and owner.",
             CheckConninfo, PGC_SIGHUP, GUC_SUPERUSER_ONLY);
}

void DefineWhere() {
  DefinePrivateText("pgbackup.storage", &settings.storage, "",
                    "Where backups go: file:///path or s3://bucket/prefix.", CheckStorage);
  DefinePrivateText("pgbackup.storage_copies", &settings.storage_copies, "",
                    "Further storages that every backup goes to, separated by commas.",
                    CheckStorageCopies);
  DefinePrivateText("pgbackup.name_template", &settings.name_template, kDefaultNameTemplate.data(),
                    "Folder of a backup within the storage.", CheckNameTemplateSetting);
  DefineText("pgbackup.cluster_name", &settings.cluster_name, "",
             "Name of this cluster in storage; empty for the server's cluster_name.");
  DefineText("pgbackup.environment", &settings.environment, "",
             "Name of this environment, such as production.");
}

// Of every row of s3_options.h.
template <size_t... index>
void DefineS3Options(std::index_sequence<index...>) {
  (DefineS3Option<index>(), ...);
}

void DefineNotifications() {
  DefineCustomEnumVariable("pgbackup.log_level",
                           "Which messages about runs the server's log gets: those of this level "
                           "and above.",
                           nullptr, &settings.log_level, 1, kLogLevels, PGC_SIGHUP, 0, nullptr,
                           nullptr, nullptr);
  DefineCustomEnumVariable("pgbackup.notify_on", "Which ends of runs others are told of.", nullptr,
                           &settings.notify_on, 0, kNotifyOn, PGC_SIGHUP, 0, nullptr, nullptr,
                           nullptr);
  DefinePrivateText("pgbackup.webhook_url_file", &settings.webhook_url_file, "",
                    "File with the URLs that notifications are sent to, one a line.",
                    CheckAbsolutePath);
  DefineCustomEnumVariable("pgbackup.webhook_format", "What webhooks are sent.", nullptr,
                           &settings.webhook_format, 0, kWebhookFormats, PGC_SIGHUP, 0, nullptr,
                           nullptr, nullptr);
  DefinePrivateText(
      "pgbackup.webhook_template", &settings.webhook_template, "",
      "What they are sent with the format \"template\": JSON with placeholders such as "
      "{database}.");
  DefinePrivateText("pgbackup.notify_email", &settings.notify_email, "",
                    "Addresses that notifications are mailed to, separated by commas.",
                    CheckEmailAddresses);
  DefinePrivateText("pgbackup.smtp_file", &settings.smtp_file, "",
                    "File that says how mail is sent: server, user, password and sender.",
                    CheckAbsolutePath);
}

void DefineHooksAndLimits() {
  DefineText("pgbackup.pre_backup_command", &settings.pre_backup_command, "",
             "Program that runs before each backup, as a JSON array; a backup fails with it.",
             CheckCommandSetting, PGC_SIGHUP, GUC_SUPERUSER_ONLY);
  DefineText("pgbackup.post_backup_command", &settings.post_backup_command, "",
             "Program that runs after each backup, as a JSON array.", CheckCommandSetting,
             PGC_SIGHUP, GUC_SUPERUSER_ONLY);
  DefineText("pgbackup.pre_backup_sql", &settings.pre_backup_sql, "",
             "SQL that runs before backups of the databases in pgbackup.hook_databases; a backup "
             "fails with it.",
             nullptr, PGC_SIGHUP, GUC_SUPERUSER_ONLY);
  DefineText("pgbackup.post_backup_sql", &settings.post_backup_sql, "",
             "SQL that runs after backups of the databases in pgbackup.hook_databases.", nullptr,
             PGC_SIGHUP, GUC_SUPERUSER_ONLY);
  DefineText("pgbackup.hook_databases", &settings.hook_databases, "",
             "Databases in which pgbackup.pre_backup_sql and pgbackup.post_backup_sql run, as a "
             "list like that of pgbackup.databases; empty for none.",
             CheckHookDatabases);
  DefineNumber("pgbackup.hook_timeout", &settings.hook_timeout, 60, 1, 86400, GUC_UNIT_S,
               "How long each of these commands and statements may take.");
  DefineNumber("pgbackup.max_size", &settings.max_size, 0, 0, INT_MAX, GUC_UNIT_MB,
               "Most that one backup may store; 0 for no limit.");
  DefineNumber("pgbackup.nice", &settings.nice, 0, 0, 19, 0,
               "By how much backups, copies, verifications and removals lower their priority.");
}

}  // namespace

void DefineSettings() {
  DefineWhenAndWhat();
  DefineAlerts();
  DefineNotifications();
  DefineHooksAndLimits();
  DefineRetention();
  DefineHow();
  DefineWhere();
  DefineS3Options(std::make_index_sequence<std::size(kS3Options<S3Texts>)>());
  MarkGUCPrefixReserved("pgbackup");
}

pg_tz* ScheduleZone() {
  if (settings.timezone != nullptr && settings.timezone[0] != '\0') {
    pg_tz* zone = pg_tzset(settings.timezone);
    if (zone != nullptr) return zone;
  }
  return session_timezone;
}

const char* ClusterName() {
  if (settings.cluster_name[0] != '\0') return settings.cluster_name;
  static char name[256];
  strlcpy(name, cluster_name[0] != '\0' ? cluster_name : "main", sizeof name);
  for (char* c = name; *c != '\0'; ++c)
    if (*c == '/') *c = '-';
  return name;
}

bool SplitSelection(const char* text, List** elements) {
  char* copy = pstrdup(text);  // the server's splitter writes into it
  List* parts = NIL;
  bool good = SplitGUCList(copy, ',', &parts);
  bool selects = false;
  *elements = NIL;
  ListCell* cell;
  foreach (cell, parts) {
    char* element = pstrdup(static_cast<char*>(lfirst(cell)));
    *elements = lappend(*elements, element);
    if (element[0] != '-') selects = true;
    if (element[0] == '\0' || strcmp(element, "-") == 0) good = false;
  }
  list_free(parts);
  pfree(copy);
  return good && selects;
}

}  // namespace pgbackup
