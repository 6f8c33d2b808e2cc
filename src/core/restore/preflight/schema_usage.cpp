#include "core/restore/preflight/schema_usage.h"

#include <fmt/format.h>

#include "core/postgres/quoting.h"

namespace pgbackup {
namespace {

constexpr const char* kGrantorsSql = R"(
WITH thing (owner, acl) AS (
  SELECT relowner, relacl FROM pg_class WHERE relnamespace = $1::regnamespace
  UNION ALL SELECT c.relowner, a.attacl FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
   WHERE c.relnamespace = $1::regnamespace
  UNION ALL SELECT proowner, proacl FROM pg_proc WHERE pronamespace = $1::regnamespace
  UNION ALL SELECT typowner, typacl FROM pg_type WHERE typnamespace = $1::regnamespace
)
SELECT DISTINCT r.rolname FROM thing t, aclexplode(t.acl) a JOIN pg_roles r ON r.oid = a.grantor
 WHERE a.grantor <> t.owner)";

}  // namespace

std::vector<std::string> GrantorsIn(PostgresConnection& connection, const std::string& schema) {
  const QueryResult rows = connection.Query(kGrantorsSql, {QuoteIdentifier(schema)});
  std::vector<std::string> roles;
  for (int row = 0; row < rows.rows(); ++row) roles.push_back(rows.Text(row, 0));
  return roles;
}

std::vector<std::string> GrantUsage(PostgresConnection& connection, const std::string& schema,
                                    const std::vector<std::string>& roles) {
  std::vector<std::string> granted;
  for (const std::string& role : roles) {
    if (connection
            .Query("SELECT 1 WHERE has_schema_privilege($1::name, $2::text, 'USAGE')",
                   {role, schema})
            .rows() > 0)
      continue;
    connection.Execute(fmt::format("GRANT USAGE ON SCHEMA {} TO {}", QuoteIdentifier(schema),
                                   QuoteIdentifier(role)));
    granted.push_back(role);
  }
  return granted;
}

void RevokeUsage(PostgresConnection& connection, const std::string& schema,
                 const std::vector<std::string>& roles) {
  for (const std::string& role : roles)
    connection.Execute(fmt::format("REVOKE USAGE ON SCHEMA {} FROM {}", QuoteIdentifier(schema),
                                   QuoteIdentifier(role)));
}

}  // namespace pgbackup
