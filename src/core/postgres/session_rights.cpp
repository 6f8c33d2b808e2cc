#include "core/postgres/session_rights.h"

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

}  // namespace pgbackup
