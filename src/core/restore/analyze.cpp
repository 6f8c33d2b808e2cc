#include "core/restore/analyze.h"

namespace pgbackup {

void AnalyzeLocalTables(PostgresConnection& connection) {
  // One statement with names makes a transaction of each table, as one without does.
  const QueryResult tables = connection.Query(R"(
      WITH RECURSIVE partly_foreign AS (
        SELECT inhparent AS table FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
         WHERE relkind = 'f'
        UNION
        SELECT inhparent FROM pg_inherits JOIN partly_foreign ON inhrelid = partly_foreign.table)
      SELECT string_agg(format('%I.%I', nspname, relname), ', ')
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
       WHERE relkind IN ('r', 'p', 'm') AND relpersistence <> 't'
         AND pg_class.oid NOT IN (SELECT partly_foreign.table FROM partly_foreign))");
  connection.Execute("ANALYZE " + tables.Text(0, 0));
}

}  // namespace pgbackup
