#include "pg/launcher_trouble.h"

#include "pg/run_log.h"
#include "pg/shared_state.h"

namespace pgbackup {
namespace {

constexpr int kFirstDelayMs = 1000;
constexpr int kLongestDelayMs = 60000;
constexpr int kSameTextMs = 60000;
constexpr int kOtherTextMs = 30000;
constexpr int kWorthAWordMs = 60000;  // from when on the end of a trouble is logged

LauncherTrouble trouble = {};  // errors == 0: none
int bad_rounds = 0;            // in a row
bool had_error = false;        // in this round
TimestampTz logged_at = 0;
char logged_text[kMaxTroubleText] = "";

}  // namespace

bool NoteTrouble(const char* message) {
  const TimestampTz now = GetCurrentTimestamp();
  had_error = true;
  if (trouble.errors == 0) trouble.since = now;
  trouble.last_at = now;
  ++trouble.errors;
  const int length = static_cast<int>(strlen(message));
  strlcpy(trouble.message, message, pg_mbcliplen(message, length, kMaxTroubleText - 1) + 1);
  PublishTrouble(trouble);
  const bool is_same = strcmp(logged_text, trouble.message) == 0;
  if (logged_at != 0 &&
      !TimestampDifferenceExceeds(logged_at, now, is_same ? kSameTextMs : kOtherTextMs))
    return false;
  logged_at = now;
  strlcpy(logged_text, trouble.message, sizeof logged_text);
  return true;
}

void NoteRound(bool is_clear) {
  if (had_error) {
    had_error = false;
    ++bad_rounds;
    return;
  }
  if (trouble.errors == 0 || !is_clear) return;
  if (TimestampDifferenceExceeds(trouble.since, GetCurrentTimestamp(), kWorthAWordMs))
    WriteLog(LogLevel::kWarning,
             psprintf("the launcher works again, after " INT64_FORMAT " errors", trouble.errors));
  bad_rounds = 0;
  trouble.errors = 0;
  PublishTrouble(trouble);
}

int RetryDelay() {
  const int doublings = Min(bad_rounds, 6);
  return Min(kLongestDelayMs, kFirstDelayMs << doublings);
}

}  // namespace pgbackup
