#include "core/postgres/session_rights.h"

#include "core/base/error.h"

namespace pgbackup {

SessionRights ReadSessionRights(PostgresConnection& connection) {
  const QueryResult rights = connection.Query(
      "SELECT pg_catalog.current_setting('is_superuser') OPERATOR(pg_catalog.=) 'on', "
      "EXISTS (SELECT 1 FROM pg_catalog.pg_settings "
      "WHERE name OPERATOR(pg_catalog.=) 'pgbackup.confined' "
      "AND setting OPERATOR(pg_catalog.=) 'on' AND context OPERATOR(pg_catalog.=) 'backend')");
  return {rights.Flag(0, 0), rights.Flag(0, 1)};
}

bool LendsSuperuserRights(const SessionRights& rights) noexcept {
  return rights.is_superuser && !rights.is_confined;
}

void CheckConfinement(PostgresConnection& connection, const ServerAddress& server) {
  if (!server.must_be_confined || !LendsSuperuserRights(ReadSessionRights(connection))) return;
  throw Error(ErrorKind::kInvalid, "the server does not confine this session",
              "Functions and constraints of other roles would be evaluated with superuser rights.",
              "Restart the server if pgbackup has been upgraded since its start. If "
              "pgbackup.dump_conninfo names another server, preload pgbackup there, too, or name "
              "a role that is not a superuser.");
}

}  // namespace pgbackup
