#include "core/restore/plan/part_requirements.h"

#include <algorithm>

#include "core/postgres/quoting.h"

namespace pgbackup {
namespace {

bool IsNamePart(char c) {
  return c == '"' || IsNameCharacter(c, /*first=*/false);
}

// Whether the SQL names the role, quoted or not. What only looks like it counts, too.
bool MentionsRole(const std::string& sql, const std::string& role) {
  if (sql.find(QuoteIdentifier(role)) != std::string::npos) return true;
  for (size_t at = sql.find(role); at != std::string::npos; at = sql.find(role, at + 1)) {
    const size_t end = at + role.size();
    if ((at == 0 || !IsNamePart(sql[at - 1])) && (end == sql.size() || !IsNamePart(sql[end])))
      return true;
  }
  return false;
}

}  // namespace

Requirements PartRequirements(const Requirements& all,
                              const std::vector<std::string>& archive_roles, const ArchiveToc& toc,
                              const std::optional<std::set<int64_t>>& wanted) {
  std::set<std::string> owners, extensions, tablespaces;
  std::string privileges;
  for (const TocEntry& entry : toc.entries) {
    if (wanted && wanted->count(entry.id) == 0) continue;
    owners.insert(entry.owner);
    tablespaces.insert(entry.tablespace);
    if (entry.kind == "EXTENSION") extensions.insert(entry.tag);
    privileges += entry.privileges + "\n";
  }
  Requirements part;
  for (size_t i = 0; i < all.roles.size(); ++i)
    if (owners.count(archive_roles[i]) != 0 || MentionsRole(privileges, archive_roles[i]))
      part.roles.push_back(all.roles[i]);
  for (const NeededExtension& extension : all.extensions)
    if (extensions.count(extension.name) != 0) part.extensions.push_back(extension);
  for (const std::string& tablespace : all.tablespaces)
    if (tablespaces.count(tablespace) != 0) part.tablespaces.push_back(tablespace);
  return part;
}

}  // namespace pgbackup
