#include "pg/run_log.h"

#include "pg/settings.h"
#include "pg/shared_state.h"

namespace pgbackup {
namespace {

const char* KindInWords(JobKind kind) {
  switch (kind) {
    case JobKind::kBackup:
      return "backup";
    case JobKind::kRestore:
      return "restore";
    case JobKind::kVerify:
      return "verification";
    case JobKind::kCopy:
      return "copy";
    case JobKind::kMarks:
      return "writing pins and verifications, from run";
    case JobKind::kWebhook:
      return "webhook";
    case JobKind::kMail:
      return "mail";
    case JobKind::kRemove:
      break;
  }
  return "cleaning up after run";
}

// The server's level for a line; 0 for one that is not to be written. What somebody asked for with
// debug1 is not to be lost in log_min_messages.
int ServerLevel(LogLevel level) {
  if (static_cast<int>(level) < settings.log_level) return 0;
  return level >= LogLevel::kWarning ? WARNING : LOG;
}

// The last lines about notifications of a channel.
struct NoticeLines {
  static constexpr int kWarnings = 4;  // in kWithin, and one that is none
  static constexpr int64 kWithin = INT64CONST(60) * USECS_PER_SEC;

  int64 warned_at[kWarnings];  // SteadyMicroseconds; 0: never. A ring
  int next;
  int64 said_at;
  int left_out;
};
NoticeLines webhook_lines = {};
NoticeLines mail_lines = {};

bool MayWrite(NoticeLines* lines, bool is_warning) {
  const int64 now = SteadyMicroseconds();
  int64* oldest = is_warning ? &lines->warned_at[lines->next] : &lines->said_at;
  if (*oldest != 0 && now - *oldest < NoticeLines::kWithin) {
    ++lines->left_out;
    return false;
  }
  *oldest = now;
  if (is_warning) lines->next = (lines->next + 1) % NoticeLines::kWarnings;
  return true;
}

}  // namespace

void WriteLog(LogLevel level, const char* text, const char* hint) {
  const int server_level = ServerLevel(level);
  if (server_level == 0) return;
  ereport(server_level, (errmsg("pgbackup: %s", text), hint != nullptr ? errhint("%s", hint) : 0));
}

void WriteRunLog(LogLevel level, const LoggedRun& run, const char* what, const char* text) {
  const int server_level = ServerLevel(level);
  if (server_level == 0) return;
  const char* blank = what != nullptr ? " " : "";
  const char* colon = text != nullptr ? ": " : "";
  if (what == nullptr) what = "";
  if (text == nullptr) text = "";
  // Notifications are about several runs, which their text names.
  if (run.id == 0)
    ereport(server_level,
            (errmsg("pgbackup: %s%s%s%s%s", KindInWords(run.kind), blank, what, colon, text)));
  else if (run.database[0] == '\0')
    ereport(server_level, (errmsg("pgbackup: %s " INT64_FORMAT "%s%s%s%s", KindInWords(run.kind),
                                  run.id, blank, what, colon, text)));
  else
    ereport(server_level,
            (errmsg("pgbackup: %s " INT64_FORMAT " of database \"%s\"%s%s%s%s",
                    KindInWords(run.kind), run.id, run.database, blank, what, colon, text)));
}

void WriteNoticeLog(JobKind kind, LogLevel level, const char* text, const char* hint) {
  NoticeLines* lines = kind == JobKind::kMail ? &mail_lines : &webhook_lines;
  if (ServerLevel(level) == 0 || !MayWrite(lines, level >= LogLevel::kWarning)) return;
  if (lines->left_out > 0)
    text = psprintf("%s (messages about notifications left out before this one: %d)", text,
                    lines->left_out);
  lines->left_out = 0;
  WriteLog(level, text, hint);
}

}  // namespace pgbackup
