#include "core/restore/plan/tablespace_script.h"

#include "core/postgres/sql_script.h"
#include "core/restore/plan/grantor.h"

namespace pgbackup {
namespace {

// The name in `ALTER TABLESPACE name …`, `COMMENT ON TABLESPACE name …`, `GRANT … ON TABLESPACE
// name …`, `REVOKE …`; null when the statement is none of these.
const SqlToken* ChangedTablespace(const SqlStatement& statement) {
  const std::vector<SqlToken>& tokens = statement.tokens;
  if (statement.BeginsWith({"alter", "tablespace", "?"})) return &tokens[2];
  if (!statement.BeginsWith({"comment"}) && !statement.BeginsWith({"grant"}) &&
      !statement.BeginsWith({"revoke"}))
    return nullptr;
  for (size_t i = 1; i + 2 < tokens.size(); ++i)
    if (tokens[i].IsWord("on"))
      return tokens[i + 1].IsWord("tablespace") ? &tokens[i + 2] : nullptr;
  return nullptr;
}

}  // namespace

std::vector<TablespaceScript> TablespacesIn(std::string_view globals) {
  std::vector<TablespaceScript> tablespaces;
  Grantor grantor;
  for (const SqlStatement& statement : SplitSqlScript(globals)) {
    if (grantor.Take(statement)) continue;
    if (statement.BeginsWith({"create", "tablespace", "?"}))
      tablespaces.push_back(
          {statement.tokens[2].value, statement.tokens.back().source, statement.text, {}});
    else if (const SqlToken* name = ChangedTablespace(statement))
      for (TablespaceScript& tablespace : tablespaces)
        if (tablespace.name == name->value) grantor.Grant(statement, &tablespace.statements);
  }
  return tablespaces;
}

}  // namespace pgbackup
