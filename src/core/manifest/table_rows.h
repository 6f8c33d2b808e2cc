// Which rows an object of a backup holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/fingerprint/row_fingerprint.h"
#include "core/postgres/quoting.h"

namespace pgbackup {

// A part of one table's rows: those whose ctid lies in [first_page, end_page) in the snapshot. All
// ranges of a table together hold each of its rows once.
struct CopyRange {
  std::vector<std::string> columns;  // of the fields, in their order; no generated ones, never none
  uint64_t first_page = 0;
  std::optional<uint64_t> end_page;  // none: to the table's end
  bool operator==(const CopyRange&) const = default;
};

struct TableFingerprint {
  QualifiedName table;
  RowFingerprint rows;
};

// The SQL before the rows of an object of kind kCopy, up to and including the line of its COPY; the
// rows in COPY's text format follow, in `encoding`, then kCopyEnd. psql can run the whole. The SQL
// is in UTF-8 whatever the rows are in, and depends on nothing but these three.
std::string CopyBegin(const QualifiedName& table, const std::vector<std::string>& columns,
                      const std::string& encoding);
inline constexpr const char* kCopyEnd = "\\.\n";

}  // namespace pgbackup
