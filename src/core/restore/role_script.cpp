#include "core/restore/role_script.h"

#include <fmt/format.h>

#include <set>

#include "core/postgres/quoting.h"
#include "core/postgres/sql_script.h"

namespace pgbackup {
namespace {

using Tokens = std::vector<SqlToken>;

// Whether the statement begins so; "?" stands for an identifier.
bool BeginsWith(const Tokens& tokens, std::initializer_list<std::string_view> words) {
  if (tokens.size() < words.size()) return false;
  size_t i = 0;
  for (const std::string_view word : words) {
    const SqlToken& token = tokens[i++];
    if (word == "?" ? !token.IsIdentifier() : !token.IsWord(word)) return false;
  }
  return true;
}

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
  RoleScriptMaker(const std::vector<std::string>& wanted,
                  const std::function<bool(const std::string&)>& exists)
      : wanted_(wanted.begin(), wanted.end()), exists_(exists) {}

  RoleScript Make(std::string_view globals);

 private:
  void TakeRoles(const std::vector<SqlStatement>& statements);
  void TakeAttributes(const SqlStatement& statement);
  void TakeMembership(const SqlStatement& statement);
  bool IsMade(const SqlToken& role) const { return made_.count(role.value) != 0; }

  const std::set<std::string> wanted_;
  const std::function<bool(const std::string&)>& exists_;
  std::set<std::string> made_;
  RoleScript script_;
};

void RoleScriptMaker::TakeRoles(const std::vector<SqlStatement>& statements) {
  for (const SqlStatement& statement : statements) {
    if (!BeginsWith(statement.tokens, {"create", "role", "?"})) continue;
    const std::string& name = statement.tokens[2].value;
    if (wanted_.count(name) == 0 || !made_.insert(name).second) continue;
    script_.roles.push_back(name);
    script_.statements.push_back(fmt::format("CREATE ROLE {}", QuoteIdentifier(name)));
  }
}

void RoleScriptMaker::TakeAttributes(const SqlStatement& statement) {
  const Tokens& tokens = statement.tokens;
  if (BeginsWith(tokens, {"alter", "role", "?", "with"}) && IsMade(tokens[2])) {
    script_.statements.push_back(AttributesSql(tokens));
    for (size_t i = 4; i < tokens.size(); ++i)
      if (tokens[i].IsWord("superuser")) script_.superusers.push_back(tokens[2].value);
  } else if ((BeginsWith(tokens, {"alter", "role", "?", "set"}) && IsMade(tokens[2])) ||
             (BeginsWith(tokens, {"comment", "on", "role", "?", "is"}) && IsMade(tokens[3]))) {
    script_.statements.push_back(statement.text);
  }
}

void RoleScriptMaker::TakeMembership(const SqlStatement& statement) {
  const Tokens& tokens = statement.tokens;
  if (!BeginsWith(tokens, {"grant", "?", "to", "?"})) return;
  const bool is_of_ours = IsMade(tokens[1]) || IsMade(tokens[3]);
  const auto is_there = [&](const SqlToken& role) { return IsMade(role) || exists_(role.value); };
  if (is_of_ours && is_there(tokens[1]) && is_there(tokens[3]))
    script_.statements.push_back(MembershipSql(tokens));
}

RoleScript RoleScriptMaker::Make(std::string_view globals) {
  const std::vector<SqlStatement> statements = SplitSqlScript(globals);
  TakeRoles(statements);
  for (const SqlStatement& statement : statements) TakeAttributes(statement);
  for (const SqlStatement& statement : statements) TakeMembership(statement);
  return std::move(script_);
}

}  // namespace

RoleScript MakeRoleScript(std::string_view globals, const std::vector<std::string>& wanted,
                          const std::function<bool(const std::string&)>& exists) {
  return RoleScriptMaker(wanted, exists).Make(globals);
}

std::vector<std::string> RolesIn(std::string_view globals) {
  std::vector<std::string> roles;
  for (const SqlStatement& statement : SplitSqlScript(globals))
    if (BeginsWith(statement.tokens, {"create", "role", "?"}))
      roles.push_back(statement.tokens[2].value);
  return roles;
}

}  // namespace pgbackup
