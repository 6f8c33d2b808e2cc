#include "core/dump/dump_plan.h"

#include <fmt/format.h>

#include "core/base/error.h"

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

std::vector<std::string> CommonArguments(const DumpPlanInput& input, ObjectKind kind) {
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
  for (std::string& argument : SelectionArguments(input.selection))
    arguments.push_back(std::move(argument));
  return arguments;
}

std::vector<std::string> SectionsOf(DumpContent content) {
  if (content == DumpContent::kSchema) return {"pre-data", "post-data"};
  if (content == DumpContent::kData) return {"data"};
  return {"pre-data", "data", "post-data"};
}

DumpObject PgDump(const DumpPlanInput& input, const char* name, ObjectKind kind) {
  DumpObject object;
  object.name = name;
  object.kind = kind;
  object.program = "pg_dump";
  object.arguments = CommonArguments(input, kind);
  object.sections = SectionsOf(input.content);
  // Not --section here: large objects are created in one section and described in another, and
  // only these two switches take the halves that belong together.
  if (input.content == DumpContent::kSchema) object.arguments.emplace_back("--schema-only");
  if (input.content == DumpContent::kData) object.arguments.emplace_back("--data-only");
  return object;
}

DumpObject PgDumpSections(const DumpPlanInput& input, const char* name,
                          std::vector<std::string> sections) {
  DumpObject object = PgDump(input, name, ObjectKind::kArchive);
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

}  // namespace

DumpContent ParseDumpContent(const std::string& text) {
  for (const DumpContent content : {DumpContent::kAll, DumpContent::kSchema, DumpContent::kData})
    if (text == DumpContentName(content)) return content;
  throw Error(ErrorKind::kInvalid, fmt::format("content \"{}\" is not known", text), "",
              "Use all, schema or data.");
}

DumpFormat ParseDumpFormat(const std::string& text) {
  for (const DumpFormat format :
       {DumpFormat::kAuto, DumpFormat::kCustom, DumpFormat::kParallel, DumpFormat::kPlain})
    if (text == DumpFormatName(format)) return format;
  throw Error(ErrorKind::kInvalid, fmt::format("format \"{}\" is not known", text), "",
              "Use auto, custom, parallel or plain.");
}

const char* DumpContentName(DumpContent content) noexcept {
  switch (content) {
    case DumpContent::kSchema:
      return "schema";
    case DumpContent::kData:
      return "data";
    case DumpContent::kAll:
      break;
  }
  return "all";
}

const char* DumpFormatName(DumpFormat format) noexcept {
  switch (format) {
    case DumpFormat::kCustom:
      return "custom";
    case DumpFormat::kParallel:
      return "parallel";
    case DumpFormat::kPlain:
      return "plain";
    case DumpFormat::kAuto:
      break;
  }
  return "auto";
}

DumpFormat ChooseFormat(DumpFormat wanted, uint64_t database_size, uint64_t threshold) noexcept {
  if (wanted != DumpFormat::kAuto) return wanted;
  return database_size < threshold ? DumpFormat::kCustom : DumpFormat::kParallel;
}

std::vector<DumpObject> MakeDumpPlan(const DumpPlanInput& input) {
  std::vector<DumpObject> plan;
  if (input.format == DumpFormat::kPlain) {
    plan.push_back(PgDump(input, "database.sql", ObjectKind::kSql));
  } else if (input.format == DumpFormat::kCustom) {
    plan.push_back(PgDump(input, "database.dump", ObjectKind::kArchive));
  } else if (input.content == DumpContent::kSchema) {
    plan.push_back(PgDump(input, "schema.dump", ObjectKind::kArchive));
  } else if (input.content == DumpContent::kData) {
    plan.push_back(PgDump(input, "data-000.dump", ObjectKind::kArchive));
  } else {
    plan.push_back(PgDumpSections(input, "schema.dump", {"pre-data", "post-data"}));
    plan.push_back(PgDumpSections(input, "data-000.dump", {"data"}));
  }
  if (input.include_globals) plan.push_back(Globals());
  return plan;
}

}  // namespace pgbackup
