#include "core/restore/load/timescale.h"

#include <fmt/format.h>

#include "core/postgres/event_triggers.h"

namespace pgbackup {
namespace {

constexpr const char* kMayComeSql = R"(
SELECT FROM pg_available_extensions, pg_roles
 WHERE name = 'timescaledb' AND rolname = current_user AND rolsuper)";

// The archive alone knows when it creates the extension, and where. {} is the name of a schema.
constexpr const char* kExpectSql[] = {
    "CREATE SCHEMA {}",
    R"(
CREATE FUNCTION {}.prepare() RETURNS event_trigger
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
    ("CREATE EVENT TRIGGER {0} ON ddl_command_end WHEN TAG IN ('CREATE EXTENSION') "
     "EXECUTE FUNCTION {0}.prepare()")};

// Without CASCADE: only what was made here. No event trigger fires for the first of these.
constexpr const char* kDropTriggerSql = "DROP EVENT TRIGGER {}";
constexpr const char* kCleanUpSql[] = {"DROP FUNCTION {}.prepare()", "DROP SCHEMA {}"};

constexpr const char* kFinishSql = R"(
SELECT format('SELECT %I.%I()', n.nspname, p.proname)
  FROM pg_extension e
  JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
  JOIN pg_proc p ON p.oid = d.objid AND d.classid = 'pg_proc'::regclass
  JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE e.extname = 'timescaledb' AND p.proname = 'timescaledb_post_restore' AND p.pronargs = 0)";

}  // namespace

std::string ExpectTimescale(PostgresConnection& connection, const std::string& suffix) {
  if (connection.Query(kMayComeSql).rows() == 0) return "";
  std::string name = "pgbackup_restoring_" + suffix;
  for (const char* sql : kExpectSql) connection.Execute(fmt::format(fmt::runtime(sql), name));
  return name;
}

void FinishTimescale(PostgresConnection& connection, const std::string& made) {
  if (!made.empty()) {
    connection.Execute(fmt::format(kDropTriggerSql, made));
    WithoutEventTriggers(connection, [&] {
      for (const char* sql : kCleanUpSql) connection.Execute(fmt::format(fmt::runtime(sql), made));
    });
  }
  const QueryResult call = connection.Query(kFinishSql);
  if (call.rows() > 0) connection.Execute(call.Text(0, 0));
}

}  // namespace pgbackup
