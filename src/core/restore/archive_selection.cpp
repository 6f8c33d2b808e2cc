#include "core/restore/archive_selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/error.h"

namespace pgbackup {
namespace {

bool OneOf(const std::string& text, std::initializer_list<const char*> list) {
  return std::any_of(list.begin(), list.end(), [&](const char* each) { return text == each; });
}

bool IsRelation(const TocEntry& entry) {
  return OneOf(entry.kind, {"TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "SEQUENCE"});
}

// Rows, in the archive that holds them.
bool IsData(const TocEntry& entry) {
  return OneOf(entry.kind, {"TABLE DATA", "SEQUENCE SET", "STATISTICS DATA"});
}

// True when `entry`, which depends on `on`, is a part of it and comes along with it.
bool IsPartOf(const TocEntry& entry, const TocEntry& on) {
  if (OneOf(entry.kind, {"ACL", "COMMENT", "SECURITY LABEL"})) return true;
  if (OneOf(on.kind, {"CONSTRAINT", "INDEX"})) return false;
  if (!IsRelation(on)) return false;  // a trigger also depends on a function, but is not its part
  if (OneOf(entry.kind, {"INDEX", "STATISTICS", "SEQUENCE OWNED BY"})) return true;
  if (entry.kind == "SEQUENCE") return on.kind == "TABLE";  // it is owned by a column
  if (entry.schema != on.schema) return false;
  if (IsData(entry) || OneOf(entry.kind, {"MATERIALIZED VIEW DATA", "ROW SECURITY"}))
    return entry.tag == on.tag;
  // Of these the tag is "table name". A policy may depend on other tables, whose part it is not.
  return OneOf(entry.kind, {"DEFAULT", "CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "TRIGGER",
                            "RULE", "POLICY"}) &&
         entry.tag.compare(0, on.tag.size() + 1, on.tag + " ") == 0;
}

// Things that tie two others together and come only when both are there.
bool NeedsBothEnds(const TocEntry& entry) {
  return OneOf(entry.kind, {"FK CONSTRAINT", "TABLE ATTACH", "INDEX ATTACH"});
}

bool BelongsToPublication(const TocEntry& entry) {
  return entry.kind.compare(0, 11, "PUBLICATION") == 0;
}

class EntrySelector {
 public:
  explicit EntrySelector(const ArchiveToc& toc) : toc_(toc) {
    for (const TocEntry& entry : toc_.entries) {
      by_id_[entry.id] = &entry;
      if (entry.kind == "SCHEMA") schemas_[entry.tag] = &entry;
    }
    for (const TocEntry& entry : toc_.entries)
      for (const int64_t id : entry.depends_on) dependents_[id].push_back(&entry);
    for (const TocEntry& entry : toc_.entries) NoteAttachment(entry);
  }

  void AddSchema(const std::string& schema);
  void AddTable(const QualifiedName& name);
  ArchiveSelection Finish();

 private:
  void Add(const TocEntry& entry);
  void Drain();
  void NoteAttachment(const TocEntry& entry);
  void AddPartsOf(const TocEntry& entry);
  bool IsSelected(int64_t id) const { return selection_.ids.count(id) != 0; }
  bool IsWhole(const TocEntry& entry) const;
  bool IsOfSelectedTable(const TocEntry& entry) const;

  const ArchiveToc& toc_;
  std::map<int64_t, const TocEntry*> by_id_;
  std::map<std::string, const TocEntry*> schemas_;
  std::map<int64_t, std::vector<const TocEntry*>> dependents_;
  std::set<std::pair<int64_t, int64_t>> attached_;  // (partition or its index, parent's)
  std::vector<const TocEntry*> queue_;
  ArchiveSelection selection_;
};

void EntrySelector::Add(const TocEntry& entry) {
  if (NeedsBothEnds(entry) || BelongsToPublication(entry)) return;
  if (selection_.ids.insert(entry.id).second) queue_.push_back(&entry);
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
      if (parent != id) attached_.insert({id, parent});
  }
}

void EntrySelector::AddPartsOf(const TocEntry& entry) {
  for (const TocEntry* dependent : dependents_[entry.id]) {
    if (IsPartOf(*dependent, entry)) Add(*dependent);
    if (attached_.count({dependent->id, entry.id}) != 0 && IsRelation(*dependent)) Add(*dependent);
  }
}

void EntrySelector::Drain() {
  while (!queue_.empty()) {
    const TocEntry& entry = *queue_.back();
    queue_.pop_back();
    // A partition can be made without its parent, which would bring all the others.
    for (const int64_t id : entry.depends_on)
      if (const auto found = by_id_.find(id);
          found != by_id_.end() && attached_.count({entry.id, id}) == 0)
        Add(*found->second);
    AddPartsOf(entry);
    if (!IsRelation(entry)) continue;
    selection_.relations.insert({entry.schema, entry.tag});
    if (const auto schema = schemas_.find(entry.schema); schema != schemas_.end())
      Add(*schema->second);
  }
}

void EntrySelector::AddSchema(const std::string& name) {
  bool found = false;
  for (const TocEntry& entry : toc_.entries)
    if ((entry.kind == "SCHEMA" && entry.tag == name) || entry.schema == name) {
      found = true;
      Add(entry);
    }
  if (!found)
    throw Error(ErrorKind::kNotFound, fmt::format("schema \"{}\" is not in the backup", name));
  Drain();
}

void EntrySelector::AddTable(const QualifiedName& name) {
  bool found = false;
  for (const TocEntry& entry : toc_.entries)
    if (IsRelation(entry) && entry.schema == name.schema && entry.tag == name.name) {
      found = true;
      Add(entry);
    }
  if (!found)
    throw Error(ErrorKind::kNotFound,
                fmt::format("table {} is not in the backup", QuoteQualifiedName(name)));
  Drain();
}

bool EntrySelector::IsWhole(const TocEntry& entry) const {
  return std::all_of(entry.depends_on.begin(), entry.depends_on.end(),
                     [&](int64_t id) { return by_id_.count(id) == 0 || IsSelected(id); });
}

bool EntrySelector::IsOfSelectedTable(const TocEntry& entry) const {
  return std::any_of(entry.depends_on.begin(), entry.depends_on.end(),
                     [&](int64_t id) { return IsSelected(id) && IsPartOf(entry, *by_id_.at(id)); });
}

ArchiveSelection EntrySelector::Finish() {
  for (const TocEntry& entry : toc_.entries) {
    if (entry.kind == "EXTENSION" && IsSelected(entry.id))
      selection_.extensions.push_back(entry.tag);
    if (!NeedsBothEnds(entry)) continue;
    const bool is_foreign_key = entry.kind == "FK CONSTRAINT";
    if (is_foreign_key && !IsOfSelectedTable(entry)) continue;
    if (IsWhole(entry)) {
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
  return selector.Finish();
}

std::string UseListText(const ArchiveToc& toc, const ArchiveSelection& selection, bool same) {
  std::string list;
  for (const TocEntry& entry : toc.entries) {
    const bool wanted =
        same ? selection.ids.count(entry.id) != 0
             : IsData(entry) && selection.relations.count({entry.schema, entry.tag}) != 0;
    if (wanted) list += fmt::format("{};\n", entry.id);
  }
  return list;
}

}  // namespace pgbackup
