// What a backup holds of its database, and in which form.
#pragma once

#include <string>
#include <vector>

namespace pgbackup {

enum class DumpContent { kAll, kSchema, kData };
enum class DumpFormat { kAuto, kCustom, kParallel, kPlain };

// kInvalid for anything but "all", "schema", "data" / "auto", "custom", "parallel", "plain".
DumpContent ParseDumpContent(const std::string& text);
DumpFormat ParseDumpFormat(const std::string& text);
const char* DumpContentName(DumpContent content) noexcept;
const char* DumpFormatName(DumpFormat format) noexcept;

// An archive in custom format, a whole database in plain format, a part of a table's rows as SQL
// (table_rows.h), roles, what of an encrypted backup's manifest names anything.
enum class ObjectKind { kArchive, kSql, kCopy, kGlobals, kContents };

// What of a database is dumped, as the job says it; tables are "schema.table".
struct SelectionNames {
  std::vector<std::string> schemas, tables, exclude_tables, exclude_table_data;
  bool IsEmpty() const {
    return schemas.empty() && tables.empty() && exclude_tables.empty() &&
           exclude_table_data.empty();
  }
};

}  // namespace pgbackup
