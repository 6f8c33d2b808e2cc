#include "shared/command_text.h"
#include "shared/compression.h"
#include "shared/cron/cron.h"
#include "shared/email_address.h"
#include "shared/naming/name_template.h"
#include "shared/passkey_hash.h"
#include "shared/recipient_list.h"
#include "shared/storage_url.h"

#include "pg/setting_checks.h"

#include "pg/settings.h"

namespace pgbackup {
namespace {

bool IsEmpty(char** value) {
  return *value == nullptr || **value == '\0';
}

}  // namespace

bool CheckSchedule(char** value, void** /*extra*/, GucSource /*source*/) {
  if (IsEmpty(value)) return true;  // no schedule
  CronExpression cron;
  CronError error;
  if (ParseCron(*value, &cron, &error)) return true;
  GUC_check_errdetail("%s, at character %d.", error.message, error.position + 1);
  GUC_check_errhint(
      "A schedule has five fields: minute hour day-of-month month day-of-week, for example "
      "\"0 2 * * *\" for every night at two.");
  return false;
}

bool CheckTimezone(char** value, void** /*extra*/, GucSource /*source*/) {
  if (IsEmpty(value)) return true;
  pg_tz* zone = pg_tzset(*value);
  if (zone != nullptr && pg_tz_acceptable(zone)) return true;
  GUC_check_errdetail("Time zone \"%s\" is not known.", *value);
  GUC_check_errhint("SELECT name FROM pg_timezone_names lists those that are.");
  return false;
}

bool CheckStorage(char** value, void** /*extra*/, GucSource /*source*/) {
  if (IsEmpty(value)) return true;
  StorageUrl url;
  const char* error = nullptr;
  if (ParseStorageUrl(*value, &url, &error)) return true;
  GUC_check_errdetail("%s", error);
  GUC_check_errhint("Use file:///absolute/path or s3://bucket/prefix.");
  return false;
}

bool CheckStorageCopies(char** value, void** /*extra*/, GucSource /*source*/) {
  const char* error = nullptr;
  if (IsEmpty(value) || CheckStorageList(*value, &error)) return true;
  GUC_check_errdetail("%s", error);
  GUC_check_errhint("Use a list such as file:///path, s3://bucket/prefix?region=eu-central-1.");
  return false;
}

bool CheckNameTemplateSetting(char** value, void** /*extra*/, GucSource /*source*/) {
  const char* error = nullptr;
  if (CheckNameTemplate(*value == nullptr ? "" : *value, &error)) return true;
  GUC_check_errdetail("%s", error);
  GUC_check_errhint(
      "Placeholders are {cluster} {instance} {environment} {database} {schedule} {label} {type} "
      "{id} and "
      "{time:%%Y-%%m-%%d_%%H-%%M-%%S}.");
  return false;
}

bool CheckCompression(char** value, void** /*extra*/, GucSource /*source*/) {
  Compression compression;
  if (*value != nullptr && ParseCompression(*value, &compression)) return true;
  GUC_check_errhint("%s", kCompressionHint);
  return false;
}

bool CheckDatabases(char** value, void** /*extra*/, GucSource /*source*/) {
  List* names = NIL;
  const bool good = SplitSelection(*value == nullptr ? "" : *value, &names);
  list_free_deep(names);
  if (good) return true;
  GUC_check_errdetail("The list selects nothing or its syntax is wrong.");
  GUC_check_errhint(
      "Use * for every database, or names separated by commas, those with odd characters in double "
      "quotes; -name leaves one out, and %% stands for any characters: *,-scratch,-test_%%.");
  return false;
}

bool CheckHookDatabases(char** value, void** extra, GucSource source) {
  return IsEmpty(value) || CheckDatabases(value, extra, source);
}

bool CheckConninfo(char** value, void** /*extra*/, GucSource /*source*/) {
  if (IsEmpty(value)) return true;
  // Settings are readable by monitoring roles, so a password must not get in. A URI can carry one
  // between ':' and '@' and is refused as a whole.
  if (strcasestr(*value, "password") == nullptr && strstr(*value, "://") == nullptr) return true;
  GUC_check_errdetail("A setting is readable by monitoring roles and must not hold a password.");
  GUC_check_errhint(
      "Use keywords and a password file: 'host=/run/postgresql passfile=/path/to/0600-file'.");
  return false;
}

bool CheckRecipients(char** value, void** /*extra*/, GucSource /*source*/) {
  std::string_view bad;
  if (IsEmpty(value) || CheckRecipientList(*value, &bad)) return true;
  GUC_check_errdetail("\"%.*s\" is not an age recipient.", static_cast<int>(bad.size()),
                      bad.data());
  GUC_check_errhint(
      "A recipient begins with \"age1\"; \"pgbackup keygen -o FILE\" makes a key and prints it.");
  return false;
}

bool CheckRestorePasskey(char** value, void** /*extra*/, GucSource /*source*/) {
  PasskeyHash hash;
  if (IsEmpty(value) || ParsePasskeyHash(*value, &hash)) return true;
  // The usual message repeats the value, and this one may be the passkey itself.
  GUC_check_errmsg("invalid value for parameter \"pgbackup.restore_passkey\"");
  GUC_check_errdetail("The setting holds the hash of a passkey, never the passkey.");
  GUC_check_errhint("\"pgbackup hash-passkey\" makes one.");
  return false;
}

bool CheckAbsolutePath(char** value, void** /*extra*/, GucSource /*source*/) {
  if (IsEmpty(value) || is_absolute_path(*value)) return true;
  GUC_check_errdetail("The path must be absolute.");
  return false;
}

bool CheckEmailAddresses(char** value, void** /*extra*/, GucSource /*source*/) {
  if (IsEmpty(value) || ForEachAddress(*value, [](auto) {})) return true;
  GUC_check_errhint("Use plain addresses, separated by commas: dba@example.com.");
  return false;
}

bool CheckCommandSetting(char** value, void** /*extra*/, GucSource /*source*/) {
  if (IsEmpty(value)) return true;
  const char* error = CommandTextError(*value);
  if (error == nullptr) return true;
  GUC_check_errdetail("%s", error);
  GUC_check_errhint("For example [\"/usr/local/bin/before-backup\", \"--quiet\"].");
  return false;
}

}  // namespace pgbackup
