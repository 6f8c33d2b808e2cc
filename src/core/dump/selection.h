// What of a database is dumped: the names in a job's options, and what they stand for.
#pragma once

#include <string>
#include <vector>

#include "core/manifest/backup_format.h"
#include "core/postgres/postgres_connection.h"
#include "core/postgres/quoting.h"

namespace pgbackup {

// As the database has it. A partitioned table stands for all its partitions too, on every level:
// pg_dump alone would take the parent only, which holds no rows.
struct Selection {
  std::vector<std::string> schemas;
  std::vector<QualifiedName> tables, exclude_tables, exclude_table_data;
  bool IsEverything() const {
    return schemas.empty() && tables.empty() && exclude_tables.empty() &&
           exclude_table_data.empty();
  }
};

// Looks every name up. kNotFound for one that does not exist, so that a typing error is not an
// empty backup; kInvalid when schemas and tables are both given, which pg_dump cannot do.
Selection ResolveSelection(PostgresConnection& connection, const SelectionNames& names);

}  // namespace pgbackup
