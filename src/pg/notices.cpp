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

// Whether sending has failed since it last worked. Not in the catalog: a new launcher says it anew.
bool webhook_is_down = false;
bool mail_is_down = false;

// When the next are due; 0 when none wait. Those behind the first one wait for it.
TimestampTz NoticeTime(const char* channel) {
  static constinit PreparedSql earliest(
      "SELECT (SELECT not_before FROM pgbackup.notifications WHERE channel = $1 ORDER BY id "
      "LIMIT 1)");
  earliest.Execute(SqlArguments().Text(channel));
  bool is_null = false;
  const Datum value = ValueOfRow(0, 0, &is_null);
  return is_null ? 0 : DatumGetTimestampTz(value);
}

// What nobody is to be told any more. Then none wait.
TimestampTz Forget(const char* channel) {
  static constinit PreparedSql forget("DELETE FROM pgbackup.notifications WHERE channel = $1");
  forget.Execute(SqlArguments().Text(channel));
  return 0;
}

}  // namespace

ReadyJob NextNotices(JobKind kind, TimestampTz now, MemoryContext context, TimestampTz* due) {
  const char* channel = ChannelOf(kind);
  *due = IsSetUp(kind) ? NoticeTime(channel) : Forget(channel);
  if (*due == 0 || *due > now) return {};
  static constinit PreparedSql next(
      "SELECT jsonb_build_object('protocol', 1, 'job', $1, 'notices', s.notices, "
      "'url_file', current_setting('pgbackup.webhook_url_file'), "
      "'format', current_setting('pgbackup.webhook_format'), "
      "'template', current_setting('pgbackup.webhook_template'), "
      "'smtp_file', current_setting('pgbackup.smtp_file'), "
      "'recipients', to_jsonb(regexp_split_to_array("
      "btrim(current_setting('pgbackup.notify_email'), E' \\t\\r\\n'), "
      "'\\s*,\\s*')))::text "
      "FROM pgbackup._notices_to_send($1, $2, $3) AS s (notices) "
      "WHERE s.notices IS NOT NULL");
  if (next.Execute(SqlArguments().Text(channel).Time(now).Text(ClusterName())) == 0) return {};
  ReadyJob job = {};
  job.found = true;
  job.json = JobText(TextOfRow(0, 0), context);
  return job;
}

void FinishNotices(JobKind kind, const char* event) {
  ExecuteSql("SELECT pgbackup._settle_notices($1, coalesce($2::jsonb, '{}'))",
             SqlArguments().Text(ChannelOf(kind)).Text(event));
  const char* failure = TextOfRow(0, 0);
  bool* is_down = kind == JobKind::kMail ? &mail_is_down : &webhook_is_down;
  if (failure != nullptr && !*is_down)
    WriteLog(LogLevel::kWarning,
             psprintf("notifications cannot be sent by %s: %s", ChannelOf(kind), failure),
             "They are tried again for a day; pgbackup.notifications shows them. This is said "
             "once, until one has been sent.");
  if (failure == nullptr && *is_down)
    WriteLog(LogLevel::kLog, psprintf("notifications are sent by %s again", ChannelOf(kind)));
  *is_down = failure != nullptr;
}

}  // namespace pgbackup
