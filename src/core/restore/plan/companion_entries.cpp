#include "core/restore/plan/companion_entries.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "core/postgres/quoting.h"
#include "shared/ascii.h"

namespace pgbackup {
namespace {

bool IsKind(const TocEntry& entry, std::initializer_list<std::string_view> kinds) {
  return std::find(kinds.begin(), kinds.end(), entry.kind) != kinds.end();
}

bool IsNamedInBodies(const TocEntry& entry) {
  return IsKind(entry, {"FUNCTION", "PROCEDURE", "AGGREGATE", "TYPE", "DOMAIN", "COLLATION",
                        "TEXT SEARCH CONFIGURATION", "TEXT SEARCH DICTIONARY"});
}

// Of a routine, the tag has its arguments and quotes where they are needed.
std::string NameOf(const TocEntry& entry) {
  if (!IsKind(entry, {"FUNCTION", "PROCEDURE", "AGGREGATE"})) return entry.tag;
  if (entry.tag.empty() || entry.tag[0] != '"') return entry.tag.substr(0, entry.tag.find('('));
  std::string name;
  for (size_t i = 1; i < entry.tag.size(); ++i) {
    if (entry.tag[i] == '"' && (++i == entry.tag.size() || entry.tag[i] != '"')) break;
    name += entry.tag[i];
  }
  return name;
}

// What may be a name in a text, as SQL reads it, behind what may be its schema, or nothing. In
// literals and comments, too: a text search configuration is named by a literal.
std::set<std::pair<std::string, std::string>> NamesIn(std::string_view text) {
  std::set<std::pair<std::string, std::string>> names;
  std::string before;  // the name that a point follows
  const auto add = [&](std::string name, size_t end) {
    names.insert({before, name});
    before = end < text.size() && text[end] == '.' ? std::move(name) : "";
  };
  for (size_t i = 0; i < text.size();) {
    const size_t begin = i;
    if (text[i] == '"') {
      const size_t end = std::min(text.find('"', i + 1), text.size());
      add(std::string(text.substr(i + 1, end - i - 1)), end + 1);
      // The quote may have been none that begins a name: then what follows is names, too.
      i = before.empty() ? i + 1 : end + 1;
    } else if (IsNameCharacter(text[i], /*first=*/true)) {
      while (i < text.size() && IsNameCharacter(text[i], /*first=*/false)) ++i;
      std::string name(text.substr(begin, i - begin));
      for (char& c : name) c = AsciiLower(c);
      add(std::move(name), i);
    } else {
      if (text[i] != '.') before.clear();
      ++i;
    }
  }
  return names;
}

}  // namespace

bool IsRelation(const TocEntry& entry) {
  return IsKind(entry, {"TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "SEQUENCE"});
}

CompanionEntries::CompanionEntries(const ArchiveToc& toc) {
  for (const TocEntry& entry : toc.entries) {
    by_id_[entry.id] = &entry;
    if (IsKind(entry, {"CAST", "OPERATOR", "OPERATOR CLASS", "OPERATOR FAMILY"}))
      candidates_.push_back(&entry);
    if (!entry.routine.empty()) routines_.push_back(&entry);
    if (IsNamedInBodies(entry)) by_name_[NameOf(entry)].push_back(&entry);
  }
}

bool CompanionEntries::IsCompanion(const TocEntry& entry, const std::set<int64_t>& selected) const {
  bool needs_others = false;
  for (const int64_t id : entry.depends_on) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end() || found->second->kind == "SCHEMA") continue;
    const TocEntry& on = *found->second;
    if (selected.count(id) == 0) {
      needs_others = true;
      continue;
    }
    if (IsKind(on, {"TYPE", "DOMAIN"})) return true;
    if (on.kind == "FUNCTION" && entry.kind == "CAST") return true;
    if (on.kind == "OPERATOR" && entry.kind != "CAST" && entry.kind != "OPERATOR") return true;
  }
  return entry.kind == "CAST" && !needs_others;
}

bool CompanionEntries::BringsRelation(const TocEntry& entry,
                                      const std::set<int64_t>& selected) const {
  std::set<int64_t> seen = {entry.id};
  std::vector<const TocEntry*> open = {&entry};
  while (!open.empty()) {
    const TocEntry& next = *open.back();
    open.pop_back();
    if (IsRelation(next)) return true;
    for (const int64_t id : next.depends_on)
      if (const auto found = by_id_.find(id);
          found != by_id_.end() && selected.count(id) == 0 && seen.insert(id).second)
        open.push_back(found->second);
  }
  return false;
}

void CompanionEntries::AddNamedIn(const TocEntry& routine, std::set<int64_t>* named) const {
  for (const auto& [schema, name] : NamesIn(routine.routine)) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) continue;
    for (const TocEntry* entry : found->second)
      if (schema.empty() || schema == entry->schema) named->insert(entry->id);
  }
}

std::vector<const TocEntry*> CompanionEntries::Of(const std::set<int64_t>& selected) {
  std::set<int64_t> found;
  for (const TocEntry* entry : candidates_)
    if (selected.count(entry->id) == 0 && IsCompanion(*entry, selected)) found.insert(entry->id);
  for (const TocEntry* routine : routines_)
    if (selected.count(routine->id) != 0 && read_.insert(routine->id).second)
      AddNamedIn(*routine, &found);
  std::vector<const TocEntry*> companions;
  for (const int64_t id : found)
    if (selected.count(id) == 0 && !BringsRelation(*by_id_.at(id), selected))
      companions.push_back(by_id_.at(id));
  return companions;
}

}  // namespace pgbackup
