// The tables of a backup, as the server describes them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/dump/selection.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {

struct DumpTable {
  std::string oid;
  QualifiedName name;       // in UTF-8
  QualifiedName dump_name;  // in the server's encoding: as pg_dump reads and writes it
  bool is_partitioned = false;
  bool is_extension_member = false;  // pg_dump leaves those out, but for configuration tables
  // From MeasureTables:
  uint64_t bytes = 0;      // on disk, with TOAST
  uint64_t pages = 0;      // of the table alone
  bool can_split = false;  // a heap, where a row's ctid says which page it is on, with some column
  // Whether its rows find their partition anew when they are restored: a hash of an enum's value
  // depends on numbers that every database gives anew, so pg_dump writes them into the root.
  bool is_loaded_by_root = false;

  bool IsSameAs(const DumpTable& other) const { return oid == other.oid && name == other.name; }
};

// Tables and partitioned tables of the selection that this user may lock, by oid; one it may not
// read is pg_dump's to complain about, by name. Nothing is measured.
std::vector<DumpTable> ListTables(PostgresConnection& connection, const Selection& selection);

// Fills in the sizes. The tables are locked, so they are all there.
void MeasureTables(PostgresConnection& connection, std::vector<DumpTable>* tables);

// Bytes of all large objects, on disk.
uint64_t MeasureLargeObjects(PostgresConnection& connection);

// The columns that COPY reads and writes, in their order: without generated ones.
std::vector<std::string> CopyColumns(PostgresConnection& connection, const DumpTable& table);

}  // namespace pgbackup
