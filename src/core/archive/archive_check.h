// Whether an archive holds what it was made for.
//
// pg_dump succeeds also when it leaves something out: a pattern that no longer matches, a table
// that belongs to an extension. The archive's own table of contents, read as it streams past, is
// compared with the plan before the backup is one.
#pragma once

#include <set>
#include <string>

#include "core/archive/archive_toc.h"
#include "core/postgres/quoting.h"

namespace pgbackup {

// Names in the archive's encoding.
struct ExpectedContents {
  std::set<QualifiedName> tables;   // definitions that have to be there
  std::set<QualifiedName> rows;     // tables whose rows have to be there
  std::set<QualifiedName> no_rows;  // tables whose rows must not: another object has them
  bool only_these_rows = false;     // no rows of any other table
};

// What an archive's table of contents says of tables. Names in the archive's encoding.
struct ArchiveTables {
  void Add(const TocEntry& entry);

  std::set<QualifiedName> definitions, rows;
};

// kInternal, naming the object and the first table in question, unless the archive is as expected.
void CheckArchive(const ArchiveTables& found, const ExpectedContents& expected,
                  const std::string& object_name);

}  // namespace pgbackup
