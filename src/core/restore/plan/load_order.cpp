#include "core/restore/plan/load_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "core/restore/plan/archive_selection.h"

namespace pgbackup {
namespace {

using Needs = ArchivedCode::Needs;

// What is loaded in a turn of its own.
struct Turn {
  bool is_sequences = false;
  QualifiedName table;
  size_t object = 0;
  std::optional<int64_t> entry;  // none: whatever the object holds

  auto Key() const { return std::tie(is_sequences, table, object); }
};

class LoadSorter {
 public:
  LoadSorter(const LoadOrderInput& input, const ArchivedCode& code) : input_(input), code_(code) {}

  void Add(size_t object);
  LoadOrder Finish();

 private:
  std::optional<std::string> ListOf(size_t object) const;
  void AddWhole(size_t object);
  void Split(size_t object, const ArchiveToc& archive);

  const LoadOrderInput& input_;
  const ArchivedCode& code_;
  LoadOrder order_;
  std::vector<Turn> turns_;
};

std::optional<std::string> LoadSorter::ListOf(size_t object) const {
  if (input_.parts.empty() || input_.parts[object].take != ObjectPart::Take::kListed)
    return std::nullopt;
  return input_.parts[object].list;
}

void LoadSorter::AddWhole(size_t object) {
  const std::vector<QualifiedName>& tables = input_.tables[object];
  const bool waits =
      tables.empty() ? code_.AnyNeedsEverything()
                     : std::any_of(tables.begin(), tables.end(), [&](const QualifiedName& table) {
                         return code_.OfRows(table) == Needs::kEverything;
                       });
  if (waits)
    turns_.push_back({false, tables.empty() ? QualifiedName() : tables.front(), object, {}});
  else
    order_.at_once.push_back({object, ListOf(object)});
}

void LoadSorter::Split(size_t object, const ArchiveToc& archive) {
  const std::optional<std::string> list = ListOf(object);
  const std::set<int64_t> wanted = list ? EntriesOf(*list) : std::set<int64_t>();
  std::string at_once;
  for (const TocEntry& entry : archive.entries) {
    if ((list && wanted.count(entry.id) == 0) || IsOfTheSession(entry)) continue;
    const bool is_sequence = entry.kind == "SEQUENCE SET";
    const bool waits = is_sequence || (entry.kind == "TABLE DATA" &&
                                       code_.OfRows(entry.oid) == Needs::kEverything);
    if (waits)
      turns_.push_back({is_sequence,
                        {is_sequence ? "" : entry.schema, is_sequence ? "" : entry.tag},
                        object,
                        entry.id});
    else
      at_once += fmt::format("{};\n", entry.id);
  }
  if (!at_once.empty()) order_.at_once.push_back({object, std::move(at_once)});
}

void LoadSorter::Add(size_t object) {
  const auto archive = input_.archives.find(object);
  if (archive == input_.archives.end())
    AddWhole(object);
  else
    Split(object, archive->second);
}

// Turns of one object that follow each other are one.
LoadOrder LoadSorter::Finish() {
  std::stable_sort(turns_.begin(), turns_.end(),
                   [](const Turn& one, const Turn& other) { return one.Key() < other.Key(); });
  const Turn* last = nullptr;
  for (const Turn& turn : turns_) {
    const bool goes_on = last != nullptr && turn.entry && last->entry &&
                         last->object == turn.object && last->is_sequences == turn.is_sequences;
    if (!goes_on)
      order_.one_by_one.push_back(
          {turn.object, turn.entry ? std::string() : ListOf(turn.object), turn.is_sequences});
    if (turn.entry) *order_.one_by_one.back().list += fmt::format("{};\n", *turn.entry);
    last = &turn;
  }
  return std::move(order_);
}

}  // namespace

bool MayHaveToBeSplit(const ManifestObject& object, const std::vector<QualifiedName>& tables,
                      const ArchivedCode& code) {
  if (object.kind != ObjectKind::kArchive || tables.size() == 1) return false;
  if (tables.empty()) return code.AnyNeedsEverything();
  return std::any_of(tables.begin(), tables.end(), [&](const QualifiedName& table) {
    return code.OfRows(table) == Needs::kEverything;
  });
}

LoadOrder OrderLoads(const std::vector<size_t>& objects, const LoadOrderInput& input,
                     const ArchivedCode& code) {
  LoadSorter sorter(input, code);
  for (const size_t object : objects) sorter.Add(object);
  return sorter.Finish();
}

}  // namespace pgbackup
