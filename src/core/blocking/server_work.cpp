#include "core/blocking/server_work.h"

#include <fmt/format.h>

#include "core/blocking/run_sessions.h"

namespace pgbackup {
namespace {

// Since version 14 the server counts for COPY, too.
constexpr const char* kCountsSql =
    "(SELECT string_agg(p::text, ' ' ORDER BY p::text) "
    "FROM unnest('{CREATE INDEX,ANALYZE,CLUSTER,COPY,VACUUM}'::text[]) AS command, "
    "pg_stat_get_progress_info(command) AS p WHERE p.pid IN (SELECT pid FROM ours))";

}  // namespace

void ServerWork::Look(PostgresConnection& connection, Progress& progress) {
  const QueryResult seen = connection.Query(
      fmt::format("{}SELECT coalesce(bool_or(s.state = 'active' AND (s.wait_event_type IS NULL "
                  "OR s.wait_event_type IN ('IO', 'LWLock'))), false), "
                  "concat_ws(' ', max(s.query_start), {}) "
                  "FROM s WHERE s.pid IN (SELECT pid FROM ours)",
                  kRunSessionsSql, connection.server_major() >= 14 ? kCountsSql : "NULL"));
  if (seen.Flag(0, 0)) ++progress.sights_of_work;
  std::string now = seen.Text(0, 1);
  if (now == last_) return;
  last_ = std::move(now);
  ++progress.steps;
}

}  // namespace pgbackup
