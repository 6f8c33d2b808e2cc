// Rows with their stored generated columns. A dump holds none of these: a restore computes them
// anew, which may give something else. Their fingerprints show it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/cancellation.h"
#include "core/dump/row_plan.h"
#include "core/dump/table_list.h"
#include "core/fingerprint/row_fingerprint.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {

struct GeneratedTable {
  std::string oid;
  QualifiedName name;   // in UTF-8
  std::string columns;  // SQL: all of them, by name
  uint64_t pages = 0;
  bool can_split = false;  // see DumpTable
};

// Tables with stored generated columns, without those that belong to extensions, and without
// partitions that rows may leave for others when they are restored (DumpTable::is_loaded_by_root).
std::vector<GeneratedTable> ListGeneratedTables(PostgresConnection& connection);

// The statement that reads the rows, or those on some pages, as text in `encoding`.
std::string CopyGeneratedSql(const GeneratedTable& table, const std::optional<PageRange>& pages,
                             const std::string& encoding);

// Of a backup's tables, those of `selected`: what is to be read, in pieces of about `split_bytes`.
struct GeneratedPiece {
  GeneratedTable table;
  std::optional<PageRange> pages;
};
std::vector<GeneratedPiece> PlanGenerated(const std::vector<GeneratedTable>& tables,
                                          const std::vector<DumpTable>& selected,
                                          uint64_t split_pages);

}  // namespace pgbackup
