// The check hooks of settings that hold text: each refuses a value that could not be used, with
// what is wrong in DETAIL or HINT. An empty value is none, and good. None raises an error.
#pragma once

#include "pg/server.h"

namespace pgbackup {

bool CheckSchedule(char** value, void** extra, GucSource source);
bool CheckTimezone(char** value, void** extra, GucSource source);
bool CheckStorage(char** value, void** extra, GucSource source);
bool CheckStorageCopies(char** value, void** extra, GucSource source);
bool CheckNameTemplateSetting(char** value, void** extra, GucSource source);
bool CheckCompression(char** value, void** extra, GucSource source);
bool CheckHookDatabases(char** value, void** extra, GucSource source);  // or empty
bool CheckDatabases(char** value, void** extra, GucSource source);
bool CheckConninfo(char** value, void** extra, GucSource source);
bool CheckRecipients(char** value, void** extra, GucSource source);
bool CheckRestorePasskey(char** value, void** extra, GucSource source);
bool CheckAbsolutePath(char** value, void** extra, GucSource source);
bool CheckEmailAddresses(char** value, void** extra, GucSource source);
bool CheckCommandSetting(char** value, void** extra, GucSource source);

}  // namespace pgbackup
