#include "core/restore/plan/role_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/postgres/quoting.h"
#include "core/postgres/sql_script.h"
#include "core/restore/plan/grantor.h"

namespace pgbackup {
namespace {

using Tokens = std::vector<SqlToken>;

std::string Joined(const Tokens& tokens, size_t from, size_t to) {
  std::string text;
  for (size_t i = from; i < to; ++i) text += " " + tokens[i].source;
  return text;
}

// ALTER ROLE … WITH attributes, of which a password is none of ours.
std::string AttributesSql(const Tokens& tokens) {
  std::string sql = fmt::format("ALTER ROLE {} WITH", tokens[2].source);
  for (size_t i = 4; i < tokens.size(); ++i) {
    if (tokens[i].IsWord("encrypted")) continue;
    if (tokens[i].IsWord("password"))
      ++i;
    else
      sql += " " + tokens[i].source;
  }
  return sql;
}

// GRANT role TO role, without the grantor, who may not exist here.
std::string MembershipSql(const Tokens& tokens) {
  size_t end = 4;
  while (end < tokens.size() && !tokens[end].IsWord("granted")) ++end;
  return Joined(tokens, 0, end).substr(1);
}

class RoleScriptMaker {
 public:
  RoleScriptMaker(const std::vector<std::string>& wanted, const ServerNames& server)
      : wanted_(wanted.begin(), wanted.end()), server_(server) {}

  RoleScript Make(std::string_view globals);

 private:
  void TakeRoles(const std::vector<SqlStatement>& statements);
  void TakeAttributes(const SqlStatement& statement);
  void TakeMembership(const SqlStatement& statement);
  void TakeParameterGrant(const SqlStatement& statement, const Grantor& grantor);
  bool IsMade(const SqlToken& role) const { return made_.count(role.value) != 0; }

  const std::set<std::string> wanted_;
  const ServerNames& server_;
  std::set<std::string> made_;
  RoleScript script_;
};

void RoleScriptMaker::TakeRoles(const std::vector<SqlStatement>& statements) {
  for (const SqlStatement& statement : statements) {
    if (!statement.BeginsWith({"create", "role", "?"})) continue;
    const std::string& name = statement.tokens[2].value;
    if (wanted_.count(name) == 0 || !made_.insert(name).second) continue;
    script_.roles.push_back(name);
    script_.statements.push_back(fmt::format("CREATE ROLE {}", QuoteIdentifier(name)));
  }
}

void RoleScriptMaker::TakeAttributes(const SqlStatement& statement) {
  const Tokens& tokens = statement.tokens;
  if (statement.BeginsWith({"alter", "role", "?", "with"}) && IsMade(tokens[2])) {
    script_.statements.push_back(AttributesSql(tokens));
    for (size_t i = 4; i < tokens.size(); ++i)
      if (tokens[i].IsWord("superuser")) script_.superusers.push_back(tokens[2].value);
  } else if ((statement.BeginsWith({"alter", "role", "?", "set"}) && IsMade(tokens[2])) ||
             (statement.BeginsWith({"comment", "on", "role", "?", "is"}) && IsMade(tokens[3]))) {
    script_.statements.push_back(statement.text);
  }
}

void RoleScriptMaker::TakeMembership(const SqlStatement& statement) {
  const Tokens& tokens = statement.tokens;
  if (!statement.BeginsWith({"grant", "?", "to", "?"})) return;
  const bool is_of_ours = IsMade(tokens[1]) || IsMade(tokens[3]);
  const auto is_there = [&](const SqlToken& role) {
    return IsMade(role) || server_.has_role(role.value);
  };
  if (is_of_ours && is_there(tokens[1]) && is_there(tokens[3]))
    script_.statements.push_back(MembershipSql(tokens));
}

// GRANT … ON PARAMETER name TO role …
void RoleScriptMaker::TakeParameterGrant(const SqlStatement& statement, const Grantor& grantor) {
  const Tokens& tokens = statement.tokens;
  if (!statement.BeginsWith({"grant"})) return;
  const auto to = std::find_if(tokens.begin(), tokens.end(),
                               [](const SqlToken& token) { return token.IsWord("to"); });
  if (to - tokens.begin() < 4 || tokens.end() - to < 2 || !to[-2].IsWord("parameter")) return;
  const bool is_to_all = to[1].IsWord(kEverybody) && wanted_.count(kEverybody) != 0;
  if (!is_to_all && !IsMade(to[1])) return;
  const std::string& parameter = to[-1].value;
  if (!server_.has_parameter(parameter))
    script_.unknown_parameters.insert(parameter);
  else if (grantor.name() && made_.count(*grantor.name()) != 0)
    grantor.Grant(statement, &script_.statements);
  else  // who may have no right to grant it here
    script_.statements.push_back(statement.text);
}

RoleScript RoleScriptMaker::Make(std::string_view globals) {
  const std::vector<SqlStatement> statements = SplitSqlScript(globals);
  TakeRoles(statements);
  for (const SqlStatement& statement : statements) TakeAttributes(statement);
  for (const SqlStatement& statement : statements) TakeMembership(statement);
  Grantor grantor;
  for (const SqlStatement& statement : statements)
    if (!grantor.Take(statement)) TakeParameterGrant(statement, grantor);
  return std::move(script_);
}

}  // namespace

RoleScript MakeRoleScript(std::string_view globals, const std::vector<std::string>& wanted,
                          const ServerNames& server) {
  return RoleScriptMaker(wanted, server).Make(globals);
}

std::vector<std::string> RolesIn(std::string_view globals) {
  std::vector<std::string> roles;
  for (const SqlStatement& statement : SplitSqlScript(globals))
    if (statement.BeginsWith({"create", "role", "?"})) roles.push_back(statement.tokens[2].value);
  return roles;
}

}  // namespace pgbackup
