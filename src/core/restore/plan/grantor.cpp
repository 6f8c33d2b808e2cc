#include "core/restore/plan/grantor.h"

#include <fmt/format.h>

#include "core/postgres/quoting.h"

namespace pgbackup {

bool Grantor::Take(const SqlStatement& statement) {
  if (statement.BeginsWith({"set", "session", "authorization", "?"}))
    name_ = statement.tokens[3].value;
  else if (statement.BeginsWith({"reset", "session", "authorization"}))
    name_.reset();
  else
    return false;
  return true;
}

void Grantor::Grant(const SqlStatement& statement, std::vector<std::string>* script) const {
  if (name_)
    script->push_back(fmt::format("SET SESSION AUTHORIZATION {}", QuoteIdentifier(*name_)));
  script->push_back(statement.text);
  if (name_) script->emplace_back("RESET SESSION AUTHORIZATION");
}

}  // namespace pgbackup
