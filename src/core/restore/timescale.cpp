#include "core/restore/timescale.h"

namespace pgbackup {
namespace {

constexpr const char* kMayComeSql = R"(
SELECT FROM pg_available_extensions, pg_roles
 WHERE name = 'timescaledb' AND rolname = current_user AND rolsuper)";

// The archive alone knows when it creates the extension, and where.
constexpr const char* kExpectSql[] = {
    "CREATE SCHEMA pgbackup_restoring",
    R"(
CREATE FUNCTION pgbackup_restoring.prepare() RETURNS event_trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    call text;
BEGIN
    SELECT format('SELECT %I.%I()', n.nspname, p.proname) INTO call
      FROM pg_event_trigger_ddl_commands() c
      JOIN pg_extension e ON e.oid = c.objid AND c.classid = 'pg_extension'::regclass
      JOIN pg_depend d ON d.refclassid = c.classid AND d.refobjid = e.oid AND d.deptype = 'e'
      JOIN pg_proc p ON p.oid = d.objid AND d.classid = 'pg_proc'::regclass
      JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE e.extname = 'timescaledb' AND p.proname = 'timescaledb_pre_restore' AND p.pronargs = 0;
    IF FOUND THEN
        EXECUTE call;
    END IF;
END $$)",
    ("CREATE EVENT TRIGGER pgbackup_restoring ON ddl_command_end WHEN TAG IN ('CREATE EXTENSION') "
     "EXECUTE FUNCTION pgbackup_restoring.prepare()")};

constexpr const char* kFinishSql = R"(
SELECT format('SELECT %I.%I()', n.nspname, p.proname)
  FROM pg_extension e
  JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
  JOIN pg_proc p ON p.oid = d.objid AND d.classid = 'pg_proc'::regclass
  JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE e.extname = 'timescaledb' AND p.proname = 'timescaledb_post_restore' AND p.pronargs = 0)";

}  // namespace

void ExpectTimescale(PostgresConnection& connection) {
  if (connection.Query(kMayComeSql).rows() == 0) return;
  for (const char* sql : kExpectSql) connection.Execute(sql);
}

void FinishTimescale(PostgresConnection& connection) {
  connection.Execute("DROP SCHEMA IF EXISTS pgbackup_restoring CASCADE");
  const QueryResult call = connection.Query(kFinishSql);
  if (call.rows() > 0) connection.Execute(call.Text(0, 0));
}

}  // namespace pgbackup
