#include "core/restore/plan/completed_toc.h"

#include <algorithm>
#include <map>
#include <utility>

namespace pgbackup {
namespace {

using NeededObject = PartNeeds::Object;

// The catalogs of kinds that a constraint's index may need; 0: of another kind.
uint32_t CatalogOf(const TocEntry& entry) {
  static const std::map<std::string, uint32_t, std::less<>> kCatalogs = {
      {"EXTENSION", PartNeeds::kExtensions},
      {"FUNCTION", 1255},
      {"AGGREGATE", 1255},
      {"OPERATOR", 2617},
      {"OPERATOR CLASS", 2616},
      {"TYPE", 1247},
      {"DOMAIN", 1247},
      {"COLLATION", 3456}};
  const auto found = kCatalogs.find(entry.kind);
  return found == kCatalogs.end() ? 0 : found->second;
}

void AddNeed(TocEntry* entry, int64_t id) {
  std::vector<int64_t>& needs = entry->depends_on;
  if (std::find(needs.begin(), needs.end(), id) == needs.end()) needs.push_back(id);
}

class TocCompleter {
 public:
  explicit TocCompleter(ArchiveToc toc) : toc_(std::move(toc)) {
    for (const TocEntry& entry : toc_.entries) {
      by_id_[entry.id] = &entry;
      if (const uint32_t catalog = CatalogOf(entry); catalog != 0)
        objects_[{catalog, entry.oid}] = entry.id;
    }
  }

  void AddTablesOfSequences();
  void AddNeedsOfConstraints(const PartNeeds& needs);
  void AddExtensions(const PartNeeds& needs, const std::vector<QualifiedName>& tags);
  ArchiveToc Finish() { return std::move(toc_); }

 private:
  void AddTable(const TocEntry& sequence, TocEntry* owned_by) const;

  ArchiveToc toc_;
  std::map<int64_t, const TocEntry*> by_id_;
  std::map<NeededObject, int64_t> objects_;
};

void TocCompleter::AddTable(const TocEntry& sequence, TocEntry* owned_by) const {
  for (const int64_t id : sequence.depends_on)
    if (const auto table = by_id_.find(id);
        table != by_id_.end() && table->second->kind.ends_with("TABLE"))
      AddNeed(owned_by, id);
}

void TocCompleter::AddTablesOfSequences() {
  for (TocEntry& entry : toc_.entries) {
    if (entry.kind != "SEQUENCE OWNED BY") continue;
    for (const int64_t id : std::vector(entry.depends_on))
      if (const auto sequence = by_id_.find(id);
          sequence != by_id_.end() && sequence->second->kind == "SEQUENCE")
        AddTable(*sequence->second, &entry);
  }
}

void TocCompleter::AddNeedsOfConstraints(const PartNeeds& needs) {
  for (TocEntry& entry : toc_.entries) {
    if (entry.kind != "CONSTRAINT") continue;
    const auto found = needs.constraints.find(entry.oid);
    if (found == needs.constraints.end()) continue;
    for (const NeededObject& object : found->second)
      if (const auto needed = objects_.find(object); needed != objects_.end())
        AddNeed(&entry, needed->second);
  }
}

// Their tags name what they are about, which is no entry itself.
void TocCompleter::AddExtensions(const PartNeeds& needs, const std::vector<QualifiedName>& tags) {
  std::map<std::pair<std::string, std::string>, int64_t> extensions;  // by schema and tag
  for (size_t i = 0; i < tags.size(); ++i)
    if (const auto extension =
            objects_.find({PartNeeds::kExtensions, needs.of_extensions[i].extension});
        extension != objects_.end())
      extensions[{tags[i].schema, tags[i].name}] = extension->second;
  for (TocEntry& entry : toc_.entries) {
    if (entry.kind != "ACL" && entry.kind != "SECURITY LABEL") continue;
    const bool is_of_another = std::any_of(entry.depends_on.begin(), entry.depends_on.end(),
                                           [&](int64_t id) { return by_id_.count(id) != 0; });
    if (is_of_another) continue;
    if (const auto found = extensions.find({entry.schema, entry.tag}); found != extensions.end())
      AddNeed(&entry, found->second);
  }
}

}  // namespace

ArchiveToc CompletedToc(ArchiveToc toc, const std::optional<PartNeeds>& needs,
                        const std::vector<QualifiedName>& tags) {
  TocCompleter completer(std::move(toc));
  completer.AddTablesOfSequences();
  if (needs) {
    completer.AddNeedsOfConstraints(*needs);
    completer.AddExtensions(*needs, tags);
  }
  return completer.Finish();
}

}  // namespace pgbackup
