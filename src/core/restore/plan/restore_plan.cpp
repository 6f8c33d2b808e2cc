#include "core/restore/plan/restore_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "core/base/error.h"
#include "core/base/utf8.h"
#include "core/restore/plan/early_builds.h"
#include "core/restore/plan/load_order.h"

namespace pgbackup {
namespace {

// Rows of a table, in bytes, from which a program of its own for each index is worth it: starting
// one takes milliseconds.
constexpr uint64_t kLargeTable = 8 << 20;

// Building an index takes about a third of the time that loading its table's rows does.
constexpr uint64_t kBuildsPerLoad = 3;

bool Holds(const ManifestObject& object, const char* section) {
  return std::find(object.sections.begin(), object.sections.end(), section) !=
         object.sections.end();
}

// "index "i" of table "s"."t"". The tag of a constraint is "t name".
std::string InWords(const TocEntry& entry, const QualifiedName& table) {
  const bool is_index = entry.kind == "INDEX";
  const std::string_view prefix = is_index ? "" : std::string_view(table.name);
  std::string_view name = entry.tag;
  if (!is_index && name.substr(0, prefix.size()) == prefix && name.size() > prefix.size())
    name.remove_prefix(prefix.size() + 1);
  return ToValidUtf8(fmt::format("{} {} of table {}", is_index ? "index" : "constraint",
                                 QuoteIdentifier(name), QuoteQualifiedName(table)));
}

std::string ListOf(const std::vector<const TocEntry*>& entries) {
  std::string list;
  for (const TocEntry* entry : entries) list += fmt::format("{};\n", entry->id);
  return list;
}

bool HasExtensions(const ArchiveToc& toc) {
  return std::any_of(toc.entries.begin(), toc.entries.end(),
                     [](const TocEntry& entry) { return entry.kind == "EXTENSION"; });
}

class RestorePlanner {
 public:
  RestorePlanner(const Manifest& manifest, const RestoreOptions& options,
                 const RestoreContents& contents)
      : manifest_(manifest),
        options_(options),
        contents_(contents),
        code_(manifest, contents.definitions) {}

  std::vector<RestoreTask> Plan();

 private:
  using TableKey = std::pair<std::string, std::string>;

  void SortObjects();
  void FindBuilds();
  void PlanWhole(size_t object);
  void PlanDefinitions();
  void PlanRows();
  size_t PlanLoad(const RowLoad& load, std::vector<size_t> after);
  bool NeedsExtensions(size_t object) const;
  void PlanBuilds(const EarlyBuilds::Table& table);
  void PlanRest();
  size_t PlanBuild(const TocEntry& entry, const EarlyBuilds::Table& table,
                   std::vector<size_t> after);

  RestoreTask PgRestore(size_t object, const char* phase, const char* section) const;
  std::set<int64_t> IndexEntries() const;
  std::set<int64_t> EntriesInTurn(const std::set<int64_t>& of_indexes) const;
  void AddRest(const char* phase, std::optional<std::string> list, int64_t jobs);
  bool IsWanted(const TocEntry& entry) const {
    return !contents_.wanted || contents_.wanted->count(entry.id) != 0;
  }
  size_t Add(RestoreTask task) {
    tasks_.push_back(std::move(task));
    return tasks_.size() - 1;
  }

  const Manifest& manifest_;
  const RestoreOptions& options_;
  const RestoreContents& contents_;
  const ArchivedCode code_;
  std::vector<RestoreTask> tasks_;
  std::vector<size_t> whole_, rows_;  // objects
  std::optional<size_t> definitions_;
  std::map<TableKey, uint64_t> sizes_;  // bytes of rows in objects made for the table
  EarlyBuilds builds_;
  std::set<int64_t> built_;                        // entries that builds_ has
  std::map<TableKey, std::vector<size_t>> loads_;  // tasks that bring the rows of a table
  std::vector<size_t> general_loads_;              // tasks that bring those of all others
};

RestoreTask RestorePlanner::PgRestore(size_t object, const char* phase, const char* section) const {
  RestoreTask task;
  task.phase = phase;
  task.object = object;
  task.what = manifest_.objects[object].name;
  task.program = "pg_restore";
  // --verbose names the entry that each error is about.
  task.arguments = {options_.on_error == OnError::kStop ? "--exit-on-error" : "--verbose"};
  if (options_.content == DumpContent::kSchema) task.arguments.emplace_back("--schema-only");
  if (section != nullptr) task.arguments.push_back(fmt::format("--section={}", section));
  if (!contents_.parts.empty() && contents_.parts[object].take == ObjectPart::Take::kListed)
    task.list = contents_.parts[object].list;
  return task;
}

void RestorePlanner::SortObjects() {
  for (size_t i = 0; i < manifest_.objects.size(); ++i) {
    const ManifestObject& object = manifest_.objects[i];
    if (object.kind == ObjectKind::kGlobals) continue;
    if (!contents_.parts.empty() && contents_.parts[i].take == ObjectPart::Take::kNothing) continue;
    const bool is_split = IsWholeArchive(object) && contents_.definitions;
    if (IsDefinitions(object) || is_split) definitions_ = i;
    if (IsDefinitions(object)) continue;
    if (!is_split && (object.kind == ObjectKind::kSql || Holds(object, "pre-data")))
      whole_.push_back(i);
    else if (options_.content != DumpContent::kSchema)
      rows_.push_back(i);
  }
  std::stable_sort(rows_.begin(), rows_.end(), [&](size_t one, size_t other) {
    return manifest_.objects[one].raw_size > manifest_.objects[other].raw_size;
  });
  for (const size_t i : rows_)
    for (const QualifiedName& table : contents_.tables[i])
      sizes_[{table.schema, table.name}] +=
          manifest_.objects[i].raw_size / contents_.tables[i].size();
}

void RestorePlanner::FindBuilds() {
  if (!contents_.definitions || options_.content == DumpContent::kData) return;
  std::vector<QualifiedName> large;
  for (const auto& [table, size] : sizes_)
    if (size >= kLargeTable) large.push_back({table.first, table.second});
  builds_ = FindEarlyBuilds(
      *contents_.definitions, large, [&](const TocEntry& entry) { return IsWanted(entry); },
      [&](const TocEntry& entry) { return code_.MayBeEarly(entry); });
  for (const TocEntry* entry : builds_.before_rows) built_.insert(entry->id);
  for (const EarlyBuilds::Table& table : builds_.tables)
    for (const auto* entries : {&table.one_by_one, &table.at_once})
      for (const TocEntry* entry : *entries) built_.insert(entry->id);
}

void RestorePlanner::PlanWhole(size_t object) {
  RestoreTask task = PgRestore(object, "restoring", nullptr);
  if (manifest_.objects[object].kind == ObjectKind::kSql) {
    task.program = "psql";
    task.arguments = {"--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"};
  } else if (options_.content == DumpContent::kData) {
    task.arguments.insert(task.arguments.end(), {"--section=pre-data", "--section=data"});
  }
  Add(std::move(task));
}

void RestorePlanner::PlanDefinitions() {
  RestoreTask task = PgRestore(*definitions_, "pre-data", "pre-data");
  task.from_memory = true;
  const size_t pre_data = Add(std::move(task));
  if (builds_.before_rows.empty()) return;
  RestoreTask builds = PgRestore(*definitions_, "pre-data", "post-data");
  builds.from_memory = true;
  builds.what = "the indexes of partitioned tables";
  builds.list = ListOf(builds_.before_rows);
  builds.after = {pre_data};
  Add(std::move(builds));
}

size_t RestorePlanner::PlanLoad(const RowLoad& load, std::vector<size_t> after) {
  RestoreTask task = PgRestore(load.object, "data", "data");
  if (manifest_.objects[load.object].kind == ObjectKind::kCopy) {
    task.program.clear();
    task.arguments.clear();
  }
  task.list = load.list;
  task.from_memory = load.from_head;
  if (!load.from_head) task.cost = manifest_.objects[load.object].raw_size;
  task.after = std::move(after);
  const size_t index = Add(std::move(task));
  for (const QualifiedName& table : contents_.tables[load.object])
    loads_[{table.schema, table.name}].push_back(index);
  return index;
}

bool RestorePlanner::NeedsExtensions(size_t object) const {
  const std::vector<QualifiedName>& tables = contents_.tables[object];
  return std::any_of(tables.begin(), tables.end(), [&](const QualifiedName& table) {
    return code_.OfRows(table) == ArchivedCode::Needs::kExtensions;
  });
}

void RestorePlanner::PlanRows() {
  LoadOrder order =
      OrderLoads(rows_, {contents_.tables, contents_.archives, contents_.parts}, code_);
  std::vector<size_t> before(tasks_.size());
  std::iota(before.begin(), before.end(), 0);
  // What others wait for comes before them in the plan.
  const auto is_general = [&](const RowLoad& load) {
    return contents_.tables[load.object].empty();
  };
  if (std::any_of(order.at_once.begin(), order.at_once.end(),
                  [&](const RowLoad& load) { return NeedsExtensions(load.object); }))
    std::stable_partition(order.at_once.begin(), order.at_once.end(), is_general);
  for (const RowLoad& load : order.at_once) {
    std::vector<size_t> after = before;
    if (NeedsExtensions(load.object))
      after.insert(after.end(), general_loads_.begin(), general_loads_.end());
    const size_t task = PlanLoad(load, std::move(after));
    if (is_general(load)) general_loads_.push_back(task);
  }
  before.resize(tasks_.size());
  std::iota(before.begin(), before.end(), 0);
  for (const RowLoad& load : order.one_by_one) before = {PlanLoad(load, std::move(before))};
}

size_t RestorePlanner::PlanBuild(const TocEntry& entry, const EarlyBuilds::Table& table,
                                 std::vector<size_t> after) {
  RestoreTask task = PgRestore(*definitions_, "indexes", "post-data");
  task.from_memory = true;
  task.what = InWords(entry, table.name);
  task.list = ListOf({&entry});
  task.cost = sizes_[{table.name.schema, table.name.name}] / kBuildsPerLoad;
  task.after = std::move(after);
  return Add(std::move(task));
}

void RestorePlanner::PlanBuilds(const EarlyBuilds::Table& table) {
  std::vector<size_t> after = loads_[{table.name.schema, table.name.name}];
  // Functions of extensions may look into the rows of their configuration tables, which have no
  // objects of their own. Which functions an index calls, its dependencies do not tell.
  if (HasExtensions(*contents_.definitions))
    after.insert(after.end(), general_loads_.begin(), general_loads_.end());
  for (const TocEntry* entry : table.one_by_one) after = {PlanBuild(*entry, table, after)};
  for (const TocEntry* entry : table.at_once) PlanBuild(*entry, table, after);
}

// Entries that only make or attach indexes, all they need being among them or built already.
std::set<int64_t> RestorePlanner::IndexEntries() const {
  std::set<int64_t> found;
  std::set<int64_t> others;  // of the post-data
  for (const TocEntry& entry : contents_.definitions->entries) {
    if (entry.section != TocSection::kPostData || built_.count(entry.id) != 0) continue;
    const bool is_of_index =
        entry.kind == "INDEX" || entry.kind == "CONSTRAINT" || entry.kind == "INDEX ATTACH";
    const bool needs_others = std::any_of(entry.depends_on.begin(), entry.depends_on.end(),
                                          [&](int64_t id) { return others.count(id) != 0; });
    (is_of_index && !needs_others ? found : others).insert(entry.id);
  }
  return found;
}

// Entries of the post-data that call code of the database, and what needs these. Indexes are built
// before anything else, so nothing else has to wait for them. Event triggers come with the others,
// where pg_restore makes them after all but materialized views.
std::set<int64_t> RestorePlanner::EntriesInTurn(const std::set<int64_t>& of_indexes) const {
  const auto is_of_index = [&](int64_t id) { return of_indexes.count(id) != 0; };
  const auto is_open = [&](const TocEntry& entry) {
    return entry.section == TocSection::kPostData && IsWanted(entry) && built_.count(entry.id) == 0;
  };
  const std::vector<TocEntry>& entries = contents_.definitions->entries;
  const bool has_others = std::any_of(entries.begin(), entries.end(), [&](const TocEntry& entry) {
    return is_open(entry) && !is_of_index(entry.id) && code_.Calls(entry);
  });
  std::set<int64_t> found;
  for (const TocEntry& entry : entries) {
    if (!is_open(entry)) continue;
    const bool needs_such =
        std::any_of(entry.depends_on.begin(), entry.depends_on.end(), [&](int64_t id) {
          return found.count(id) != 0 && is_of_index(id) == is_of_index(entry.id);
        });
    if (needs_such || code_.Calls(entry) || (has_others && entry.kind == "EVENT TRIGGER"))
      found.insert(entry.id);
  }
  return found;
}

void RestorePlanner::AddRest(const char* phase, std::optional<std::string> list, int64_t jobs) {
  if (list && list->empty()) return;
  RestoreTask task = PgRestore(*definitions_, phase, "post-data");
  task.from_memory = true;
  // Past errors one at a time: workers write what they complain of into each other's lines.
  if (options_.on_error == OnError::kStop) task.arguments.push_back(fmt::format("--jobs={}", jobs));
  task.list = std::move(list);
  for (size_t before = 0; before < tasks_.size(); ++before) task.after.push_back(before);
  Add(std::move(task));
}

// Indexes first. The workers of one pg_restore would end in a deadlock now and then: they keep
// apart what locks the same tables as far as dependencies tell, and those of a foreign key (or a
// trigger) of a partitioned table do not tell of its partitions' partitions, whose indexes are
// attached. Nor do they tell that the entry of an index may also alter its table (CLUSTER ON,
// REPLICA IDENTITY), while another worker builds an index of the same: such entries go one by one.
// They are few, and of small tables, for large ones are built early.
//
// What calls code of the database may find that anything else is missing, so it goes one by one in
// the archive's order: indexes when all others are built, the rest at the end.
void RestorePlanner::PlanRest() {
  if (!contents_.definitions) {
    AddRest("post-data", PgRestore(*definitions_, "", nullptr).list, options_.jobs);
    return;
  }
  const std::set<int64_t> of_indexes = IndexEntries();
  const std::set<int64_t> in_turn = EntriesInTurn(of_indexes);
  std::vector<const TocEntry*> altering, indexes, indexes_in_turn, others, others_in_turn;
  for (const TocEntry& entry : contents_.definitions->entries) {
    if (entry.section != TocSection::kPostData || !IsWanted(entry) || built_.count(entry.id) != 0)
      continue;
    const bool is_of_index = of_indexes.count(entry.id) != 0;
    const bool alters = is_of_index && entry.kind == "INDEX" && entry.alters_table;
    if (in_turn.count(entry.id) != 0)
      (is_of_index ? indexes_in_turn : others_in_turn).push_back(&entry);
    else
      (alters ? altering : is_of_index ? indexes : others).push_back(&entry);
  }
  AddRest("indexes", ListOf(altering), 1);
  AddRest("indexes", ListOf(indexes), options_.jobs);
  AddRest("indexes", ListOf(indexes_in_turn), 1);
  AddRest("post-data", ListOf(others), options_.jobs);
  AddRest("post-data", ListOf(others_in_turn), 1);
}

std::vector<RestoreTask> RestorePlanner::Plan() {
  SortObjects();
  FindBuilds();
  for (const size_t object : whole_) PlanWhole(object);
  if (definitions_) PlanDefinitions();
  PlanRows();
  for (const EarlyBuilds::Table& table : builds_.tables) PlanBuilds(table);
  if (definitions_ && options_.content != DumpContent::kData) PlanRest();
  return std::move(tasks_);
}

}  // namespace

bool IsDefinitions(const ManifestObject& object) {
  return object.kind == ObjectKind::kArchive && Holds(object, "pre-data") && !Holds(object, "data");
}

bool IsWholeArchive(const ManifestObject& object) {
  return object.kind == ObjectKind::kArchive && Holds(object, "pre-data") && Holds(object, "data");
}

void CheckRestorable(const Manifest& manifest, const RestoreOptions& options) {
  if (manifest.content == DumpContent::kData)
    throw Error(ErrorKind::kInvalid, fmt::format("backup {} holds data only", manifest.id),
                "A new database cannot be made of it.",
                "Fetch its archive and restore it with pg_restore into a database that has the "
                "tables.");
  if (manifest.content == DumpContent::kSchema && options.content == DumpContent::kData)
    throw Error(ErrorKind::kInvalid, fmt::format("backup {} holds no rows", manifest.id),
                "It was made with content schema.", "Use another backup, or content schema.");
  const bool only_parts = options.ChoosesParts() || (manifest.content == DumpContent::kAll &&
                                                     options.content != DumpContent::kAll);
  if (manifest.format == DumpFormat::kPlain && only_parts)
    throw Error(ErrorKind::kInvalid, "a part of a backup in plain format cannot be restored",
                "It is one SQL script.", "Restore all of it.");
  if (manifest.format == DumpFormat::kPlain && options.on_error == OnError::kContinue)
    throw Error(
        ErrorKind::kInvalid, "a backup in plain format cannot be restored past errors",
        "When its script cannot create a table, psql takes the rows of it for SQL commands.",
        "Fetch the script, mend it and run it with psql, or restore another backup.");
  const auto is_restored = [](const ManifestObject& object) {
    return object.kind != ObjectKind::kGlobals;
  };
  if (std::none_of(manifest.objects.begin(), manifest.objects.end(), is_restored))
    throw Error(ErrorKind::kInvalid, "the manifest names nothing that can be restored");
}

RestorePlan MakeRestorePlan(const Manifest& manifest, const RestoreOptions& options,
                            const RestoreContents& contents) {
  RestorePlan plan;
  plan.tasks = RestorePlanner(manifest, options, contents).Plan();
  const auto& selected = manifest.selection.schemas;
  plan.drop_public_schema = manifest.selection.tables.empty() &&
                            std::find(selected.begin(), selected.end(), "public") != selected.end();
  for (const std::string& table : manifest.selection.tables) {
    const std::string schema = ParseQualifiedName(table, "tables").schema;
    auto& schemas = plan.schemas_to_create;
    if (std::find(schemas.begin(), schemas.end(), schema) == schemas.end())
      schemas.push_back(schema);
  }
  return plan;
}

std::vector<ScheduledTask> ScheduleOf(const RestorePlan& plan) {
  std::vector<ScheduledTask> tasks;
  for (const RestoreTask& task : plan.tasks) tasks.push_back({task.cost, task.after});
  return tasks;
}

void LeaveOutTablespaces(RestorePlan* plan) {
  for (RestoreTask& task : plan->tasks)
    if (task.program == "pg_restore") task.arguments.emplace_back("--no-tablespaces");
}

std::set<size_t> ObjectsToRead(const RestorePlan& plan) {
  std::set<size_t> objects;
  for (const RestoreTask& task : plan.tasks) objects.insert(task.object);
  return objects;
}

uint64_t BytesToRead(const Manifest& manifest, const RestorePlan& plan) {
  uint64_t bytes = 0;
  for (const size_t object : ObjectsToRead(plan)) {
    const auto streams = std::count_if(
        plan.tasks.begin(), plan.tasks.end(),
        [&](const RestoreTask& task) { return task.object == object && !task.from_memory; });
    bytes += manifest.objects[object].raw_size *
             static_cast<uint64_t>(std::max<std::ptrdiff_t>(streams, 1));
  }
  return bytes;
}

}  // namespace pgbackup
