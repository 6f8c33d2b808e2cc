#include "core/dump/dump_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/base/utf8.h"
#include "core/dump/row_plan.h"

namespace pgbackup {
namespace {

std::vector<std::string> SelectionArguments(const Selection& selection) {
  std::vector<std::string> arguments;
  const auto add = [&](const char* name, const std::string& pattern) {
    arguments.push_back(fmt::format("--{}={}", name, pattern));
  };
  for (const std::string& schema : selection.schemas) add("schema", QuoteIdentifier(schema));
  for (const QualifiedName& table : selection.tables) add("table", QuoteQualifiedName(table));
  for (const QualifiedName& table : selection.exclude_tables)
    add("exclude-table", QuoteQualifiedName(table));
  for (const QualifiedName& table : selection.exclude_table_data)
    add("exclude-table-data", QuoteQualifiedName(table));
  if (!selection.schemas.empty() || !selection.tables.empty())
    arguments.emplace_back("--strict-names");
  return arguments;
}

std::vector<std::string> CommonArguments(const DumpPlanInput& input, ObjectKind kind,
                                         const Selection& selection) {
  std::vector<std::string> arguments = {
      kind == ObjectKind::kSql ? "--format=plain" : "--format=custom",
      "--compress=0",
      fmt::format("--encoding={}", input.encoding),
      fmt::format("--snapshot={}", input.snapshot),
      fmt::format("--lock-wait-timeout={}", input.lock_wait_timeout_ms),
  };
  // Version 18 leaves statistics out unless asked.
  if (input.pg_dump_major >= 18 && input.content == DumpContent::kAll)
    arguments.emplace_back("--statistics");
  for (std::string& argument : SelectionArguments(selection))
    arguments.push_back(std::move(argument));
  return arguments;
}

std::vector<std::string> SectionsOf(DumpContent content) {
  if (content == DumpContent::kSchema) return {"pre-data", "post-data"};
  if (content == DumpContent::kData) return {"data"};
  return {"pre-data", "data", "post-data"};
}

DumpObject PgDump(const DumpPlanInput& input, std::string name, ObjectKind kind,
                  const Selection& selection) {
  DumpObject object;
  object.name = std::move(name);
  object.kind = kind;
  object.program = "pg_dump";
  object.arguments = CommonArguments(input, kind, selection);
  object.sections = SectionsOf(input.content);
  // Not --section here: large objects are created in one section and described in another, and
  // only these two switches take the halves that belong together.
  if (input.content == DumpContent::kSchema) object.arguments.emplace_back("--schema-only");
  if (input.content == DumpContent::kData) object.arguments.emplace_back("--data-only");
  return object;
}

DumpObject PgDumpSections(const DumpPlanInput& input, std::string name,
                          std::vector<std::string> sections, const Selection& selection) {
  DumpObject object = PgDump(input, std::move(name), ObjectKind::kArchive, selection);
  for (const std::string& section : sections)
    object.arguments.push_back(fmt::format("--section={}", section));
  object.sections = std::move(sections);
  return object;
}

DumpObject Globals() {
  DumpObject object;
  object.name = "globals.sql";
  object.kind = ObjectKind::kGlobals;
  object.program = "pg_dumpall";
  object.arguments = {"--globals-only", "--no-role-passwords", "--encoding=UTF8"};
  return object;
}

bool IsUtf8(const QualifiedName& name) {
  return ToValidUtf8(name.schema) == name.schema && ToValidUtf8(name.name) == name.name;
}

// The objects of a plan, and which tables each of them has to hold.
class DumpPlanner {
 public:
  explicit DumpPlanner(const DumpPlanInput& input) : input_(input) {
    const auto& without = input.selection.exclude_table_data;
    const std::set<QualifiedName> no_rows(without.begin(), without.end());
    for (const DumpTable& table : input.tables) {
      if (table.is_extension_member) continue;
      if (input.content != DumpContent::kData) definitions_.insert(table.dump_name);
      if (input.content != DumpContent::kSchema && !table.is_partitioned &&
          no_rows.count(table.dump_name) == 0)
        rows_.insert(table.dump_name);
    }
  }

  std::vector<DumpObject> Plan();

 private:
  DumpObject Whole(const char* name, ObjectKind kind) const;
  void AddParallel(std::vector<DumpObject>* plan) const;
  RowPlan PlanOfRows() const;
  DumpObject Archive(std::string name, const RowObject& rows) const;
  DumpObject Range(std::string name, const RowObject& rows) const;

  const DumpPlanInput& input_;
  std::set<QualifiedName> definitions_, rows_;  // what the backup has to hold
};

// One object for everything.
DumpObject DumpPlanner::Whole(const char* name, ObjectKind kind) const {
  DumpObject object = PgDump(input_, name, kind, input_.selection);
  object.expected.tables = definitions_;
  object.expected.rows = rows_;
  return object;
}

RowPlan DumpPlanner::PlanOfRows() const {
  std::vector<TableWeight> weights;
  for (const DumpTable& table : input_.tables) {
    TableWeight weight;
    weight.name_bytes = QuoteQualifiedName(table.dump_name).size();
    if (rows_.count(table.dump_name) != 0) {
      weight.bytes = table.bytes;
      weight.pages = table.pages;
      // The manifest names tables in UTF-8; an object of its own holds what goes into its table.
      weight.can_leave = IsUtf8(table.name) && !table.is_loaded_by_root;
      weight.can_split = table.can_split;
    }
    weights.push_back(weight);
  }
  RowPlanLimits limits;
  limits.jobs = input_.jobs;
  limits.split_bytes = input_.split_bytes;
  limits.other_bytes = input_.large_object_bytes;
  return PlanRows(weights, limits);
}

// The rows of some tables. pg_dump takes named tables whatever else is selected.
DumpObject DumpPlanner::Archive(std::string name, const RowObject& rows) const {
  Selection selection;
  for (const size_t i : rows.tables) selection.tables.push_back(input_.tables[i].dump_name);
  DumpObject object = input_.content == DumpContent::kData
                          ? PgDump(input_, std::move(name), ObjectKind::kArchive, selection)
                          : PgDumpSections(input_, std::move(name), {"data"}, selection);
  for (const size_t i : rows.tables) object.tables.push_back(input_.tables[i].name);
  object.expected.rows = {selection.tables.begin(), selection.tables.end()};
  object.expected.only_these_rows = true;
  object.weight = rows.weight;
  return object;
}

DumpObject DumpPlanner::Range(std::string name, const RowObject& rows) const {
  const DumpTable& table = input_.tables[rows.tables[0]];
  DumpObject object;
  object.name = std::move(name);
  object.kind = ObjectKind::kCopy;
  object.sections = {"data"};
  object.tables = {table.name};
  object.copy = CopyRange{input_.columns_of(table), rows.pages->first, rows.pages->end};
  object.table_oid = table.oid;
  object.weight = rows.weight;
  return object;
}

void DumpPlanner::AddParallel(std::vector<DumpObject>* plan) const {
  const RowPlan row_plan = PlanOfRows();
  Selection rest_selection = input_.selection;
  std::vector<DumpObject> lanes;
  std::set<QualifiedName> elsewhere;
  for (const RowObject& rows : row_plan.objects) {
    const std::string name = fmt::format("data-{:03}", lanes.size() + 1);
    lanes.push_back(rows.pages ? Range(name + ".sql", rows) : Archive(name + ".dump", rows));
    for (const size_t i : rows.tables) elsewhere.insert(input_.tables[i].dump_name);
  }
  rest_selection.exclude_table_data.insert(rest_selection.exclude_table_data.end(),
                                           elsewhere.begin(), elsewhere.end());

  DumpObject rest = input_.content == DumpContent::kData
                        ? PgDump(input_, "data-000.dump", ObjectKind::kArchive, rest_selection)
                        : PgDumpSections(input_, "data-000.dump", {"data"}, rest_selection);
  std::set_difference(rows_.begin(), rows_.end(), elsewhere.begin(), elsewhere.end(),
                      std::inserter(rest.expected.rows, rest.expected.rows.end()));
  rest.expected.no_rows = std::move(elsewhere);
  rest.weight = row_plan.rest_weight;
  const auto place = std::find_if(lanes.begin(), lanes.end(), [&](const DumpObject& lane) {
    return lane.weight < rest.weight;
  });
  lanes.insert(place, std::move(rest));

  if (input_.content == DumpContent::kAll) {
    plan->push_back(
        PgDumpSections(input_, "schema.dump", {"pre-data", "post-data"}, input_.selection));
    plan->back().expected.tables = definitions_;
  }
  for (DumpObject& lane : lanes) plan->push_back(std::move(lane));
}

std::vector<DumpObject> DumpPlanner::Plan() {
  std::vector<DumpObject> plan;
  if (input_.format == DumpFormat::kPlain)
    plan.push_back(Whole("database.sql", ObjectKind::kSql));
  else if (input_.format == DumpFormat::kCustom)
    plan.push_back(Whole("database.dump", ObjectKind::kArchive));
  else if (input_.content == DumpContent::kSchema)
    plan.push_back(Whole("schema.dump", ObjectKind::kArchive));
  else
    AddParallel(&plan);
  if (input_.include_globals) plan.push_back(Globals());
  return plan;
}

}  // namespace

DumpFormat ChooseFormat(DumpFormat wanted, uint64_t bytes, size_t tables,
                        uint64_t threshold) noexcept {
  constexpr size_t kManyTables = 1000;
  constexpr uint64_t kBytesForEach = 256 << 10;  // of many tables, from which lanes are worth it
  if (wanted != DumpFormat::kAuto) return wanted;
  const bool is_small = bytes < threshold;
  const bool is_in_pieces = tables > kManyTables && bytes / kBytesForEach < tables;
  return is_small || is_in_pieces ? DumpFormat::kCustom : DumpFormat::kParallel;
}

std::vector<DumpObject> MakeDumpPlan(const DumpPlanInput& input) {
  return DumpPlanner(input).Plan();
}

}  // namespace pgbackup
