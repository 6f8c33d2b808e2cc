#include "core/restore/plan/dangling_grants.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/archive/archived_text.h"
#include "core/base/error.h"
#include "core/postgres/sql_script.h"

namespace pgbackup {
namespace {

bool GrantsPrivileges(const TocEntry& entry) {
  return entry.kind == "ACL" || entry.kind == "DEFAULT ACL";
}

bool IsNumber(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](char letter) { return letter >= '0' && letter <= '9'; });
}

// Whether what follows the word is a role: TO r, FROM r, FOR ROLE r, SESSION AUTHORIZATION r.
bool PrecedesRole(const SqlToken& token) {
  return token.IsWord("to") || token.IsWord("from") || token.IsWord("role") ||
         token.IsWord("authorization");
}

bool Names(const SqlStatement& statement, const IsGone& is_gone) {
  const std::vector<SqlToken>& tokens = statement.tokens;
  for (size_t i = 1; i < tokens.size(); ++i)
    if (PrecedesRole(tokens[i - 1]) && tokens[i].kind == SqlToken::Kind::kName &&
        IsNumber(tokens[i].value) && is_gone(tokens[i].value))
      return true;
  return false;
}

std::vector<SqlStatement> StatementsOf(const TocEntry& entry) {
  try {
    return SplitSqlScript(entry.privileges);
  } catch (const Error&) {
    return {};  // the server will say what it thinks of it
  }
}

// The entry's SQL without the statements that name such a role.
std::string Blanked(const TocEntry& entry, const IsGone& is_gone) {
  std::string sql = entry.privileges;
  size_t from = 0;
  for (const SqlStatement& statement : StatementsOf(entry)) {
    const size_t at = sql.find(statement.text, from);
    if (at == std::string::npos) break;
    from = at + statement.text.size();
    if (Names(statement, is_gone)) sql.replace(at, statement.text.size(), from - at, ' ');
  }
  return sql;
}

}  // namespace

IsGone RolesThatAreGone(const Manifest& manifest, PostgresConnection& connection) {
  std::set<std::string> known;
  if (manifest.requirements)
    known.insert(manifest.requirements->roles.begin(), manifest.requirements->roles.end());
  return [known = std::move(known), &connection](const std::string& role) {
    return known.count(role) == 0 &&
           connection.Query("SELECT FROM pg_roles WHERE rolname = $1", {role}).rows() == 0;
  };
}

std::vector<int64_t> DanglingGrants(const ArchiveToc& toc, const IsGone& is_gone) {
  std::vector<int64_t> ids;
  for (const TocEntry& entry : toc.entries) {
    if (!GrantsPrivileges(entry)) continue;
    const std::vector<SqlStatement> statements = StatementsOf(entry);
    if (std::any_of(statements.begin(), statements.end(),
                    [&](const SqlStatement& statement) { return Names(statement, is_gone); }))
      ids.push_back(entry.id);
  }
  return ids;
}

std::vector<std::string> BlankGrants(const std::vector<int64_t>& entries, const IsGone& is_gone,
                                     int integer_size, ArchiveToc* toc, std::string* archive) {
  const std::set<int64_t> dangling(entries.begin(), entries.end());
  std::vector<std::string> words;
  // Equal texts come in the order of their entries, and lengths keep them from being found within
  // other texts.
  size_t from = 0;
  for (TocEntry& entry : toc->entries) {
    if (!GrantsPrivileges(entry)) continue;
    const std::string old = ArchivedText(entry.privileges, integer_size);
    const size_t at = archive->find(old, from);
    if (at == std::string::npos) continue;
    from = at + old.size();
    if (dangling.count(entry.id) == 0) continue;
    entry.privileges = Blanked(entry, is_gone);
    archive->replace(at, old.size(), ArchivedText(entry.privileges, integer_size));
    words.push_back(entry.schema.empty() ? entry.tag
                                         : fmt::format("{} ({})", entry.tag, entry.schema));
  }
  return words;
}

}  // namespace pgbackup
