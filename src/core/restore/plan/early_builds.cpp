#include "core/restore/plan/early_builds.h"

#include <algorithm>
#include <map>
#include <set>

namespace pgbackup {
namespace {

bool IsBuild(const TocEntry& entry) {
  return entry.section == TocSection::kPostData &&
         (entry.kind == "INDEX" || entry.kind == "CONSTRAINT");
}

class Finder {
 public:
  Finder(const ArchiveToc& toc, const std::vector<QualifiedName>& tables,
         const std::function<bool(const TocEntry&)>& wanted,
         const std::function<bool(const TocEntry&)>& built_in)
      : toc_(toc), wanted_(wanted), built_in_(built_in) {
    std::set<std::pair<std::string, std::string>> names;
    for (const QualifiedName& table : tables) names.insert({table.schema, table.name});
    for (const TocEntry& entry : toc.entries) {
      by_id_[entry.id] = &entry;
      if (entry.kind == "TABLE" && names.count({entry.schema, entry.tag}) != 0)
        ours_.insert(&entry);
    }
  }

  EarlyBuilds Find();

 private:
  const TocEntry* TableOf(const TocEntry& entry) const;
  bool IsOfOurs(const TocEntry& entry) const { return ours_.count(TableOf(entry)) != 0; }
  bool NeedsNothingElse(const TocEntry& entry, std::set<int64_t>* before_rows) const;
  void Add(const TocEntry& entry);

  const ArchiveToc& toc_;
  const std::function<bool(const TocEntry&)>& wanted_;
  const std::function<bool(const TocEntry&)>& built_in_;
  std::map<int64_t, const TocEntry*> by_id_;
  std::set<const TocEntry*> ours_;            // the tables
  std::map<const TocEntry*, size_t> places_;  // of a table in builds_
  EarlyBuilds builds_;
};

// The one table it depends on; null when there are more, or none.
const TocEntry* Finder::TableOf(const TocEntry& entry) const {
  const TocEntry* table = nullptr;
  for (const int64_t id : entry.depends_on) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end() || found->second->kind != "TABLE" || found->second == table) continue;
    if (table != nullptr) return nullptr;
    table = found->second;
  }
  return table;
}

// Whether all it depends on can be there before any rows. Adds to `before_rows` what has to be made
// for that.
bool Finder::NeedsNothingElse(const TocEntry& entry, std::set<int64_t>* before_rows) const {
  for (const int64_t id : entry.depends_on) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end() || !wanted_(*found->second)) continue;
    const TocEntry& on = *found->second;
    if (on.section == TocSection::kPreData) continue;
    // An index of a partition depends on that of its parent, which may itself be a partition.
    const bool is_parent = IsBuild(on) && built_in_(on) && TableOf(on) != nullptr &&
                           TableOf(on) != TableOf(entry) && !IsOfOurs(on);
    if (!is_parent || !NeedsNothingElse(on, before_rows)) return false;
    before_rows->insert(id);
  }
  return true;
}

void Finder::Add(const TocEntry& entry) {
  const TocEntry* table = TableOf(entry);
  const auto [place, is_new] = places_.insert({table, builds_.tables.size()});
  if (is_new) builds_.tables.push_back({{table->schema, table->tag}, {}, {}});
  EarlyBuilds::Table& builds = builds_.tables[place->second];
  const bool alone = entry.kind == "CONSTRAINT" || entry.alters_table;
  (alone ? builds.one_by_one : builds.at_once).push_back(&entry);
}

EarlyBuilds Finder::Find() {
  std::set<int64_t> before_rows;
  for (const TocEntry& entry : toc_.entries) {
    if (!IsBuild(entry) || !wanted_(entry) || !built_in_(entry) || !IsOfOurs(entry)) continue;
    std::set<int64_t> parents;
    if (!NeedsNothingElse(entry, &parents)) continue;
    before_rows.merge(parents);
    Add(entry);
  }
  for (const TocEntry& entry : toc_.entries)
    if (before_rows.count(entry.id) != 0) builds_.before_rows.push_back(&entry);
  return std::move(builds_);
}

}  // namespace

EarlyBuilds FindEarlyBuilds(const ArchiveToc& toc, const std::vector<QualifiedName>& tables,
                            const std::function<bool(const TocEntry&)>& wanted,
                            const std::function<bool(const TocEntry&)>& built_in) {
  return Finder(toc, tables, wanted, built_in).Find();
}

}  // namespace pgbackup
