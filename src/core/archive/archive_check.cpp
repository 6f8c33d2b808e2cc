#include "core/archive/archive_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"

namespace pgbackup {
namespace {

[[noreturn]] void ThrowMismatch(const std::string& object_name, const QualifiedName& table,
                                const char* what) {
  throw Error(
      ErrorKind::kInternal,
      fmt::format("object \"{}\" {} table {}", object_name, what, QuoteQualifiedName(table)),
      "The table of contents that pg_dump wrote is not the one that was planned, so the "
      "backup was not kept.",
      "Start the backup again. If this repeats, use format => 'custom' and report it.");
}

void RequireAll(const std::set<QualifiedName>& wanted, const std::set<QualifiedName>& found,
                const std::string& object_name, const char* what) {
  for (const QualifiedName& table : wanted)
    if (found.count(table) == 0) ThrowMismatch(object_name, table, what);
}

}  // namespace

void ArchiveTables::Add(const TocEntry& entry) {
  if (entry.kind == "TABLE") definitions.insert({entry.schema, entry.tag});
  if (entry.kind == "TABLE DATA") rows.insert({entry.schema, entry.tag});
}

void CheckArchive(const ArchiveTables& found, const ExpectedContents& expected,
                  const std::string& object_name) {
  RequireAll(expected.tables, found.definitions, object_name, "lacks the definition of");
  RequireAll(expected.rows, found.rows, object_name, "lacks the rows of");
  for (const QualifiedName& table : found.rows) {
    const bool other = expected.only_these_rows && expected.rows.count(table) == 0;
    if (other || expected.no_rows.count(table) != 0)
      ThrowMismatch(object_name, table, "holds rows that are not its own, of");
  }
}

}  // namespace pgbackup
