// Notifications that leave the server: queued by triggers (sql/parts/notifications.sql) in the
// transaction that they tell of, sent by agents of their own kind.
#include "pg/catalog.h"
#include "pg/job_json.h"
#include "pg/run_log.h"
#include "pg/settings.h"
#include "pg/transaction.h"

namespace pgbackup {
namespace {

const char* ChannelOf(JobKind kind) {
  return kind == JobKind::kMail ? "mail" : "webhook";
}

bool IsSetUp(JobKind kind) {
  if (kind == JobKind::kWebhook) return settings.webhook_url_file[0] != '\0';
  return settings.notify_email[0] != '\0' && settings.smtp_file[0] != '\0';
}

// When the next are due; 0 when none wait.
TimestampTz NoticeTime(const char* channel) {
  static constinit PreparedSql due("SELECT pgbackup._notices_due($1)");
  due.Execute(SqlArguments().Text(channel));
  bool is_null = false;
  const Datum value = ValueOfRow(0, 0, &is_null);
  return is_null ? 0 : DatumGetTimestampTz(value);
}

// What nobody is to be told any more. Then none wait.
TimestampTz Forget(const char* channel) {
  static constinit PreparedSql forget("SELECT pgbackup._forget_notices($1)");
  forget.Execute(SqlArguments().Text(channel));
  return 0;
}

}  // namespace

ReadyJob NextNotices(JobKind kind, TimestampTz now, MemoryContext context, TimestampTz* due) {
  const char* channel = ChannelOf(kind);
  *due = IsSetUp(kind) ? NoticeTime(channel) : Forget(channel);
  if (*due == 0 || *due > now) return {};
  static constinit PreparedSql next(
      "SELECT jsonb_build_object('protocol', 1, 'job', $1, "
      "'notices', pgbackup._notices_to_send($1, $2, $3), "
      "'url_file', current_setting('pgbackup.webhook_url_file'), "
      "'format', current_setting('pgbackup.webhook_format'), "
      "'template', current_setting('pgbackup.webhook_template'), "
      "'smtp_file', current_setting('pgbackup.smtp_file'), "
      "'recipients', to_jsonb(regexp_split_to_array("
      "btrim(current_setting('pgbackup.notify_email'), E' \\t\\r\\n'), "
      "'\\s*,\\s*')))::text");
  next.Execute(SqlArguments().Text(channel).Time(now).Text(ClusterName()));
  ReadyJob job = {};
  job.found = true;
  job.json = JobText(TextOfRow(0, 0), context);
  return job;
}

void FinishNotices(JobKind kind, const char* event, const char* why) {
  const uint64 count = ExecuteSql(
      "SELECT is_warning, line FROM pgbackup._settle_notices($1, coalesce($2::jsonb, "
      "'{}'), $3)",
      SqlArguments().Text(ChannelOf(kind)).Text(event).Text(why));
  for (uint64 i = 0; i < count; ++i) {
    bool is_null = false;
    const bool is_warning = DatumGetBool(ValueOfRow(i, 0, &is_null));
    WriteNoticeLog(kind, is_warning ? LogLevel::kWarning : LogLevel::kLog, TextOfRow(i, 1),
                   is_warning ? "pgbackup.notification_targets shows where notifications are sent, "
                                "and what fails. Sending is tried again for a day."
                              : nullptr);
  }
}

}  // namespace pgbackup
