#include "core/restore/plan/archive_selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>

#include "core/base/error.h"
#include "core/postgres/sql_script.h"
#include "core/restore/plan/companion_entries.h"

namespace pgbackup {
namespace {

bool OneOf(const std::string& text, std::initializer_list<const char*> list) {
  return std::any_of(list.begin(), list.end(), [&](const char* each) { return text == each; });
}

// Rows, in the archive that holds them.
bool IsData(const TocEntry& entry) {
  return OneOf(entry.kind, {"TABLE DATA", "SEQUENCE SET", "STATISTICS DATA"});
}

// The server of a user mapping, on which the archive does not say that it depends.
std::string ServerOfMapping(const TocEntry& entry) {
  const std::vector<SqlStatement> sql = SplitSqlScript(entry.privileges);
  if (sql.empty() || !sql[0].BeginsWith({"create", "user", "mapping", "for", "?", "server", "?"}))
    return "";
  return sql[0].tokens[6].value;
}

// Of things that depend on a table or a domain the tag is "table name".
bool HasTagOf(const TocEntry& entry, const TocEntry& on) {
  return entry.schema == on.schema && entry.tag.compare(0, on.tag.size() + 1, on.tag + " ") == 0;
}

// True when `entry`, which depends on `on`, is a part of it and comes along with it.
bool IsPartOf(const TocEntry& entry, const TocEntry& on) {
  if (OneOf(entry.kind, {"ACL", "COMMENT", "SECURITY LABEL", "STATISTICS DATA", "USER MAPPING"}))
    return true;
  if (OneOf(on.kind, {"CONSTRAINT", "INDEX"})) return false;
  if (on.kind == "DOMAIN") return entry.kind == "CHECK CONSTRAINT" && HasTagOf(entry, on);
  if (!IsRelation(on)) return false;  // a trigger also depends on a function, but is not its part
  if (OneOf(entry.kind, {"INDEX", "STATISTICS", "SEQUENCE OWNED BY"})) return true;
  if (entry.kind == "SEQUENCE") return on.kind == "TABLE";  // it is owned by a column
  if (entry.schema != on.schema) return false;
  if (IsData(entry) || OneOf(entry.kind, {"MATERIALIZED VIEW DATA", "ROW SECURITY"}))
    return entry.tag == on.tag;
  // A policy may depend on other tables, whose part it is not.
  return OneOf(entry.kind, {"DEFAULT", "CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "TRIGGER",
                            "RULE", "POLICY"}) &&
         HasTagOf(entry, on);
}

// Things that tie two others together and come only when both are there.
bool NeedsBothEnds(const TocEntry& entry) {
  return OneOf(entry.kind, {"FK CONSTRAINT", "TABLE ATTACH", "INDEX ATTACH", "SEQUENCE OWNED BY"});
}

bool BelongsToPublication(const TocEntry& entry) {
  return entry.kind.compare(0, 11, "PUBLICATION") == 0;
}

// The schema itself, or something in it.
bool IsOfSchema(const TocEntry& entry, const std::string& schema) {
  return entry.schema == schema || (entry.kind == "SCHEMA" && entry.tag == schema);
}

// The one schema that every database has: its own entry may be missing where it was left as it is.
bool IsOfPublic(const TocEntry& entry) {
  return OneOf(entry.kind, {"ACL", "COMMENT", "SECURITY LABEL"}) && entry.tag == "SCHEMA public";
}

bool IsNamed(const TocEntry& entry, const QualifiedName& relation) {
  return IsRelation(entry) && entry.schema == relation.schema && entry.tag == relation.name;
}

[[noreturn]] void ThrowNoSchema(const std::string& name) {
  throw Error(ErrorKind::kNotFound, fmt::format("schema \"{}\" is not in the backup", name));
}

[[noreturn]] void ThrowNoTable(const QualifiedName& name) {
  throw Error(ErrorKind::kNotFound,
              fmt::format("table {} is not in the backup", QuoteQualifiedName(name)));
}

class EntrySelector {
 public:
  explicit EntrySelector(const ArchiveToc& toc) : toc_(toc), companions_(toc) {
    for (const TocEntry& entry : toc_.entries) {
      by_id_[entry.id] = &entry;
      if (IsOfPublic(entry)) of_public_.push_back(&entry);
      if (entry.kind == "SCHEMA") schemas_[entry.tag] = &entry;
      if (entry.kind == "SERVER") servers_[entry.tag] = entry.id;
    }
    for (const TocEntry& entry : toc_.entries)
      for (const int64_t id : entry.depends_on) {
        dependents_[id].push_back(&entry);
        if (entry.kind == "SEQUENCE OWNED BY") owned_sequences_.insert(id);
      }
    for (const TocEntry& entry : toc_.entries) NoteAttachment(entry);
    for (const TocEntry& entry : toc_.entries) NoteServer(entry);
  }

  void AddSchema(const std::string& schema);
  void AddTable(const QualifiedName& name);
  void AddEverything();
  void Exclude(const WantedParts& wanted);
  void ExcludeRows(const std::vector<QualifiedName>& tables);
  void HoldBack(const WantedParts& wanted);
  ArchiveSelection Finish();

 private:
  void Add(const TocEntry& entry);
  void Drain();
  void DrainQueue();
  bool Needs(const TocEntry& entry, int64_t id) const;
  void AddSchemaOf(const TocEntry& relation);
  void AddOfPublic();
  void NoteRoots();
  void NoteAttachment(const TocEntry& entry);
  void NoteServer(const TocEntry& entry);
  void AddPartsOf(const TocEntry& entry);
  bool IsSelected(int64_t id) const { return selection_.ids.count(id) != 0; }
  std::set<int64_t> NamedToExclude(const WantedParts& wanted) const;
  std::set<int64_t> WithPartitions(const QualifiedName& table) const;
  bool RefersToEmptied(const TocEntry& entry) const;
  std::set<int64_t> WithDependents(const std::set<int64_t>& entries) const;
  bool IsPartOfAny(const TocEntry& entry, const std::set<int64_t>& entries) const;
  bool IsWhole(const TocEntry& entry) const;
  bool IsOfSelectedTable(const TocEntry& entry) const;

  const ArchiveToc& toc_;
  std::map<int64_t, const TocEntry*> by_id_;
  std::map<std::string, const TocEntry*> schemas_;
  std::map<std::string, int64_t> servers_;  // foreign ones
  std::map<int64_t, std::vector<const TocEntry*>> dependents_;
  std::set<std::pair<int64_t, int64_t>> attached_;  // (partition or its index, parent's)
  std::map<int64_t, int64_t> parents_;              // of partitions, that are tables
  std::vector<const TocEntry*> of_public_;          // of the schema "public" itself
  std::set<int64_t> owned_sequences_;               // and the tables that own them
  std::set<int64_t> emptied_;                       // come without their rows
  CompanionEntries companions_;
  std::vector<const TocEntry*> queue_;
  ArchiveSelection selection_;
};

void EntrySelector::Add(const TocEntry& entry) {
  if (NeedsBothEnds(entry) || BelongsToPublication(entry)) return;
  if (selection_.ids.insert(entry.id).second) queue_.push_back(&entry);
}

void EntrySelector::AddOfPublic() {
  for (const TocEntry* entry : of_public_) Add(*entry);
}

// ATTACH entries depend on the partition (which has the entry's name) and on the parent.
void EntrySelector::NoteAttachment(const TocEntry& entry) {
  if (!OneOf(entry.kind, {"TABLE ATTACH", "INDEX ATTACH"})) return;
  for (const int64_t id : entry.depends_on) {
    const auto child = by_id_.find(id);
    if (child == by_id_.end() || child->second->tag != entry.tag ||
        child->second->schema != entry.schema)
      continue;
    for (const int64_t parent : entry.depends_on)
      if (parent != id) {
        attached_.insert({id, parent});
        if (entry.kind == "TABLE ATTACH") parents_[id] = parent;
      }
  }
}

void EntrySelector::NoteServer(const TocEntry& entry) {
  if (entry.kind != "USER MAPPING") return;
  if (const auto server = servers_.find(ServerOfMapping(entry)); server != servers_.end())
    dependents_[server->second].push_back(&entry);
}

void EntrySelector::AddPartsOf(const TocEntry& entry) {
  for (const TocEntry* dependent : dependents_[entry.id]) {
    if (IsPartOf(*dependent, entry)) Add(*dependent);
    if (attached_.count({dependent->id, entry.id}) != 0 && IsRelation(*dependent)) Add(*dependent);
  }
}

void EntrySelector::AddSchemaOf(const TocEntry& relation) {
  if (const auto schema = schemas_.find(relation.schema); schema != schemas_.end())
    Add(*schema->second);
}

// A partition can be made without its parent, which would bring all the others, and a sequence
// without the table whose column owns it, unless it is that of an identity column.
bool EntrySelector::Needs(const TocEntry& entry, int64_t id) const {
  if (attached_.count({entry.id, id}) != 0) return false;
  const bool is_owned = entry.kind == "SEQUENCE" && owned_sequences_.count(entry.id) != 0;
  return !is_owned || by_id_.at(id)->kind == "SCHEMA";
}

void EntrySelector::DrainQueue() {
  while (!queue_.empty()) {
    const TocEntry& entry = *queue_.back();
    queue_.pop_back();
    for (const int64_t id : entry.depends_on)
      if (const auto found = by_id_.find(id); found != by_id_.end() && Needs(entry, id))
        Add(*found->second);
    AddPartsOf(entry);
    if (entry.schema == "public") AddOfPublic();
    if (!IsRelation(entry)) continue;
    selection_.relations.insert({entry.schema, entry.tag});
    AddSchemaOf(entry);
  }
}

void EntrySelector::Drain() {
  DrainQueue();
  for (std::vector<const TocEntry*> more; !(more = companions_.Of(selection_.ids)).empty();) {
    for (const TocEntry* entry : more) Add(*entry);
    DrainQueue();
  }
}

void EntrySelector::AddSchema(const std::string& name) {
  bool found = false;
  for (const TocEntry& entry : toc_.entries)
    if (IsOfSchema(entry, name)) {
      found = true;
      Add(entry);
    }
  if (!found) ThrowNoSchema(name);
  if (name == "public") AddOfPublic();
  Drain();
}

void EntrySelector::AddTable(const QualifiedName& name) {
  bool found = false;
  for (const TocEntry& entry : toc_.entries)
    if (IsNamed(entry, name)) {
      found = true;
      Add(entry);
    }
  if (!found) ThrowNoTable(name);
  Drain();
}

void EntrySelector::AddEverything() {
  selection_.is_all_but = true;
  for (const TocEntry& entry : toc_.entries)
    if (!IsOfTheSession(entry)) selection_.ids.insert(entry.id);
}

std::set<int64_t> EntrySelector::NamedToExclude(const WantedParts& wanted) const {
  std::set<int64_t> named;
  const auto add = [&](const auto& is_named) {
    bool found = false;
    for (const TocEntry& entry : toc_.entries)
      if (is_named(entry)) {
        found = true;
        named.insert(entry.id);
      }
    return found;
  };
  for (const std::string& schema : wanted.exclude_schemas)
    if (!add([&](const TocEntry& entry) { return IsOfSchema(entry, schema); }))
      ThrowNoSchema(schema);
  for (const QualifiedName& table : wanted.exclude_tables)
    if (!add([&](const TocEntry& entry) { return IsNamed(entry, table); })) ThrowNoTable(table);
  return named;
}

std::set<int64_t> EntrySelector::WithDependents(const std::set<int64_t>& entries) const {
  std::set<int64_t> all = entries;
  std::vector<int64_t> open(entries.begin(), entries.end());
  while (!open.empty()) {
    const auto dependents = dependents_.find(open.back());
    open.pop_back();
    if (dependents == dependents_.end()) continue;
    for (const TocEntry* dependent : dependents->second)
      if (all.insert(dependent->id).second) open.push_back(dependent->id);
  }
  return all;
}

bool EntrySelector::IsPartOfAny(const TocEntry& entry, const std::set<int64_t>& entries) const {
  return std::any_of(entry.depends_on.begin(), entry.depends_on.end(), [&](int64_t id) {
    return entries.count(id) != 0 && (attached_.count({entry.id, id}) != 0 ||
                                      (by_id_.count(id) != 0 && IsPartOf(entry, *by_id_.at(id))));
  });
}

// What is taken away is named, but for what is understood by itself: what belongs to something that
// is not there. Foreign keys are named by Finish.
void EntrySelector::Exclude(const WantedParts& wanted) {
  const std::set<int64_t> named = NamedToExclude(wanted);
  if (named.empty()) return;
  const bool had_relations = !selection_.relations.empty();
  const std::set<int64_t> excluded = WithDependents(named);
  for (const TocEntry& entry : toc_.entries) {
    if (excluded.count(entry.id) == 0) continue;
    if (IsRelation(entry) && selection_.is_all_but)
      selection_.relations.insert({entry.schema, entry.tag});
    else if (IsRelation(entry))
      selection_.relations.erase({entry.schema, entry.tag});
    if (selection_.ids.erase(entry.id) == 0 || named.count(entry.id) != 0 || NeedsBothEnds(entry) ||
        BelongsToPublication(entry) || IsPartOfAny(entry, excluded))
      continue;
    selection_.dependents.push_back(
        entry.schema.empty() ? fmt::format("{} {}", entry.kind, entry.tag)
                             : fmt::format("{} {} ({})", entry.kind, entry.tag, entry.schema));
  }
  if (had_relations && !selection_.is_all_but && selection_.relations.empty())
    throw Error(ErrorKind::kInvalid, "nothing that was selected can do without what was excluded",
                "", "Select or exclude something else.");
}

std::set<int64_t> EntrySelector::WithPartitions(const QualifiedName& table) const {
  std::set<int64_t> all;
  for (const TocEntry& entry : toc_.entries)
    if (IsNamed(entry, table)) all.insert(entry.id);
  if (all.empty()) ThrowNoTable(table);
  for (size_t before = 0; before != all.size();) {
    before = all.size();
    for (const auto& [partition, parent] : parents_)
      if (all.count(parent) != 0) all.insert(partition);
  }
  return all;
}

// Whether it is a foreign key of a table that has rows to one that has none.
bool EntrySelector::RefersToEmptied(const TocEntry& entry) const {
  if (entry.kind != "FK CONSTRAINT") return false;
  const auto is_of_emptied = [&](const TocEntry& other) {
    return emptied_.count(other.id) != 0 || IsPartOfAny(other, emptied_);
  };
  return !IsPartOfAny(entry, emptied_) &&
         std::any_of(entry.depends_on.begin(), entry.depends_on.end(), [&](int64_t id) {
           return by_id_.count(id) != 0 && is_of_emptied(*by_id_.at(id));
         });
}

void EntrySelector::ExcludeRows(const std::vector<QualifiedName>& tables) {
  for (const QualifiedName& table : tables) emptied_.merge(WithPartitions(table));
  if (emptied_.empty()) return;
  for (const int64_t id : emptied_)
    selection_.emptied.insert({by_id_.at(id)->schema, by_id_.at(id)->tag});
  for (const TocEntry& entry : toc_.entries) {
    const bool is_content = IsData(entry) || entry.kind == "MATERIALIZED VIEW DATA";
    if ((is_content && selection_.emptied.count({entry.schema, entry.tag}) != 0) ||
        RefersToEmptied(entry))
      selection_.ids.erase(entry.id);
  }
}

void EntrySelector::HoldBack(const WantedParts& wanted) {
  std::set<int64_t> extensions;
  for (const TocEntry& entry : toc_.entries)
    if (entry.kind == "EXTENSION" && IsSelected(entry.id) &&
        std::find(wanted.hold_extensions.begin(), wanted.hold_extensions.end(), entry.tag) !=
            wanted.hold_extensions.end())
      extensions.insert(entry.id);
  if (extensions.empty()) return;
  for (const QualifiedName& table : wanted.hold_tables)
    selection_.held_relations.insert({table.schema, table.name});
  const std::set<int64_t> dependents = WithDependents(extensions);
  for (const TocEntry& entry : toc_.entries) {
    const bool is_of_extension =
        IsData(entry) && selection_.held_relations.count({entry.schema, entry.tag}) != 0;
    if ((dependents.count(entry.id) == 0 && !is_of_extension) ||
        selection_.ids.erase(entry.id) == 0)
      continue;
    selection_.held.insert(entry.id);
    if (IsRelation(entry)) selection_.held_relations.insert({entry.schema, entry.tag});
  }
  selection_.emptied.insert(selection_.held_relations.begin(), selection_.held_relations.end());
}

bool EntrySelector::IsWhole(const TocEntry& entry) const {
  return std::all_of(entry.depends_on.begin(), entry.depends_on.end(),
                     [&](int64_t id) { return by_id_.count(id) == 0 || IsSelected(id); });
}

bool EntrySelector::IsOfSelectedTable(const TocEntry& entry) const {
  return std::any_of(entry.depends_on.begin(), entry.depends_on.end(),
                     [&](int64_t id) { return IsSelected(id) && IsPartOf(entry, *by_id_.at(id)); });
}

// Of tables that come without their parents, and their partitions.
void EntrySelector::NoteRoots() {
  for (const auto& [partition, parent] : parents_) {
    if (!IsSelected(partition)) continue;
    int64_t root = partition;
    auto above = parents_.find(root);
    for (; above != parents_.end() && IsSelected(above->second); above = parents_.find(root))
      root = above->second;
    if (above == parents_.end()) continue;  // all of them come
    const TocEntry& entry = *by_id_.at(partition);
    selection_.roots[{entry.schema, entry.tag}] = {by_id_.at(root)->schema, by_id_.at(root)->tag};
  }
}

ArchiveSelection EntrySelector::Finish() {
  NoteRoots();
  for (const TocEntry& entry : toc_.entries) {
    if (entry.kind == "EXTENSION" && IsSelected(entry.id))
      selection_.extensions.push_back(entry.tag);
    if (!NeedsBothEnds(entry) || IsSelected(entry.id) || selection_.held.count(entry.id) != 0)
      continue;
    const bool is_foreign_key = entry.kind == "FK CONSTRAINT";
    if (is_foreign_key && !IsOfSelectedTable(entry)) continue;
    if (IsWhole(entry) && !RefersToEmptied(entry)) {
      selection_.ids.insert(entry.id);
      for (const TocEntry* dependent : dependents_[entry.id])
        if (IsPartOf(*dependent, entry)) selection_.ids.insert(dependent->id);
    } else if (is_foreign_key) {
      selection_.left_out.push_back(fmt::format("{} ({})", entry.tag, entry.schema));
    }
  }
  return std::move(selection_);
}

}  // namespace

ArchiveSelection SelectParts(const ArchiveToc& toc, const WantedParts& wanted) {
  EntrySelector selector(toc);
  for (const std::string& schema : wanted.schemas) selector.AddSchema(schema);
  for (const QualifiedName& table : wanted.tables) selector.AddTable(table);
  if (wanted.schemas.empty() && wanted.tables.empty()) selector.AddEverything();
  selector.Exclude(wanted);
  selector.ExcludeRows(wanted.exclude_table_data);
  selector.HoldBack(wanted);
  return selector.Finish();
}

ArchiveSelection HeldBack(const ArchiveSelection& selection) {
  ArchiveSelection held;
  held.ids = selection.held;
  held.relations = selection.held_relations;
  return held;
}

bool IsOfTheSession(const TocEntry& entry) {
  return OneOf(entry.kind, {"ENCODING", "STDSTRINGS", "SEARCHPATH"});
}

std::set<int64_t> EntriesOf(const std::string& list) {
  std::set<int64_t> ids;
  std::istringstream lines(list);
  for (std::string line; std::getline(lines, line);)
    ids.insert(std::strtoll(line.c_str(), nullptr, 10));
  return ids;
}

std::string UseListText(const ArchiveToc& toc, const ArchiveSelection& selection, bool same) {
  std::string list;
  for (const TocEntry& entry : toc.entries) {
    // Of other archives, those of large objects are no relation's.
    const bool is_wanted = same            ? selection.ids.count(entry.id) != 0
                           : IsData(entry) ? selection.TakesRowsOf({entry.schema, entry.tag})
                                           : selection.is_all_but && !IsOfTheSession(entry);
    if (is_wanted) list += fmt::format("{};\n", entry.id);
  }
  return list;
}

}  // namespace pgbackup
