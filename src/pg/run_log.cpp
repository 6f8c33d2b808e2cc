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

// When the last lines of a kind were written, and what was left out since.
struct Lines {
  static constexpr int kMost = 4;  // in kWithin
  static constexpr int64 kWithin = INT64CONST(60) * USECS_PER_SEC;

  int64 written_at[kMost];  // SteadyMicroseconds; 0: never. A ring
  int next;
  int left_out;
  char last[512];  // of these
};

// Whether there is room for a line, of `most` in a minute.
bool HasRoom(const Lines& lines, int most = Lines::kMost) {
  const int64 oldest = lines.written_at[lines.next % most];
  return oldest == 0 || SteadyMicroseconds() - oldest >= Lines::kWithin;
}

bool TakeRoom(Lines* lines, int most = Lines::kMost) {
  if (!HasRoom(*lines, most)) {
    ++lines->left_out;
    return false;
  }
  lines->written_at[lines->next % most] = SteadyMicroseconds();
  lines->next = (lines->next + 1) % most;
  return true;
}

// Of notifications of a channel.
struct NoticeLines {
  Lines warnings, others;
};
NoticeLines webhook_lines = {};
NoticeLines mail_lines = {};

// Of runs.
Lines failures = {};
Lines warnings = {};

Lines* LinesOf(LogLevel level) {
  return level == LogLevel::kFailure ? &failures : &warnings;
}

void WriteLeftOut(LogLevel level) {
  Lines* lines = LinesOf(level);
  if (lines->left_out == 0 || !HasRoom(*lines)) return;
  const int count = lines->left_out;
  lines->left_out = 0;
  TakeRoom(lines);
  ereport(WARNING,
          (errmsg("pgbackup: messages about runs left out, so as not to fill this log: %d, "
                  "the last of them: %s",
                  count, lines->last)));
}

emit_log_hook_type previous_log_hook = nullptr;

// Where a message comes from takes many lines, of which those about an error need the first one.
void ShortenContext(ErrorData* data) {
  if (data->elevel < ERROR)
    data->hide_ctx = true;
  else if (data->context != nullptr)
    data->context[strcspn(data->context, "\n")] = '\0';
  if (previous_log_hook != nullptr) previous_log_hook(data);
}

const char* RunInWords(const LoggedRun& run, const char* what, const char* text) {
  const char* blank = what != nullptr ? " " : "";
  const char* colon = text != nullptr ? ": " : "";
  if (what == nullptr) what = "";
  if (text == nullptr) text = "";
  // Notifications are about several runs, which their text names.
  if (run.id == 0) return psprintf("%s%s%s%s%s", KindInWords(run.kind), blank, what, colon, text);
  if (run.database[0] == '\0')
    return psprintf("%s " INT64_FORMAT "%s%s%s%s", KindInWords(run.kind), run.id, blank, what,
                    colon, text);
  return psprintf("%s " INT64_FORMAT " of database \"%s\"%s%s%s%s", KindInWords(run.kind), run.id,
                  run.database, blank, what, colon, text);
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
  const char* words = RunInWords(run, what, text);
  if (level >= LogLevel::kWarning && !TakeRoom(LinesOf(level))) {
    Lines* lines = LinesOf(level);
    const int length = static_cast<int>(strlen(words));
    strlcpy(lines->last, words, pg_mbcliplen(words, length, sizeof lines->last - 1) + 1);
    return;
  }
  ereport(server_level, (errmsg("pgbackup: %s", words)));
}

void WriteNoticeLog(JobKind kind, LogLevel level, const char* text, const char* hint) {
  NoticeLines* lines = kind == JobKind::kMail ? &mail_lines : &webhook_lines;
  const bool is_warning = level >= LogLevel::kWarning;
  if (ServerLevel(level) == 0 ||
      !(is_warning ? TakeRoom(&lines->warnings) : TakeRoom(&lines->others, 1)))
    return;
  const int left_out = lines->warnings.left_out + lines->others.left_out;
  if (left_out > 0)
    text =
        psprintf("%s (messages about notifications left out before this one: %d)", text, left_out);
  lines->warnings.left_out = lines->others.left_out = 0;
  WriteLog(level, text, hint);
}

void ShortenLog() {
  previous_log_hook = emit_log_hook;
  emit_log_hook = ShortenContext;
}

void WriteLeftOutLog() {
  WriteLeftOut(LogLevel::kFailure);
  WriteLeftOut(LogLevel::kWarning);
}

}  // namespace pgbackup
