// Which entries of an archive a restore of some schemas or tables needs. Pure.
//
// Selected is what was named, everything that belongs to it (rows, indexes, constraints, triggers,
// privileges, comments, partitions, owned sequences), and everything it cannot exist without
// (types, functions, extensions, the tables of a view, a foreign server with its user mappings).
// What uses a type without being named by what needs it comes along (companion_entries.h). A
// foreign key to a table that is not selected is left out, and so is membership in a publication;
// large objects belong to nothing. Where only something to exclude was named, everything else is
// selected, these included.
//
// Excluded is what was named, what belongs to it, and what cannot exist without it. Of tables that
// come without their rows, so do all partitions, a materialized view is not filled, and foreign
// keys of others to them are left out.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/archive/archive_toc.h"
#include "core/postgres/quoting.h"

namespace pgbackup {

struct WantedParts {
  std::vector<std::string> schemas;
  std::vector<QualifiedName> tables;  // tables, views, sequences
  std::vector<std::string> exclude_schemas = {};
  std::vector<QualifiedName> exclude_tables = {};
  std::vector<QualifiedName> exclude_table_data = {};
  std::vector<std::string> hold_extensions = {};  // back, with what depends on them
  std::vector<QualifiedName> hold_tables = {};    // of these extensions
};

struct ArchiveSelection {
  std::set<int64_t> ids;                                    // of the archive it was made from
  std::set<std::pair<std::string, std::string>> relations;  // (schema, name) of what has rows
  // True: everything is selected but what was excluded, and `relations` are those that were.
  bool is_all_but = false;
  std::set<std::pair<std::string, std::string>> emptied;  // come without their rows
  // Held back: entries, and relations with rows.
  std::set<int64_t> held;
  std::set<std::pair<std::string, std::string>> held_relations;
  // Of partitions that come without the root of all: which of what comes is their root now.
  std::map<std::pair<std::string, std::string>, QualifiedName> roots;
  std::vector<std::string> extensions;
  std::vector<std::string> left_out;    // foreign keys to what does not come, or without rows
  std::vector<std::string> dependents;  // "VIEW v (a)": anything else that needs what was excluded

  bool TakesRowsOf(const std::pair<std::string, std::string>& relation) const {
    return (relations.count(relation) != 0) != is_all_but && emptied.count(relation) == 0;
  }
};

// From the archive that holds the definitions (completed_toc.h). kNotFound for a name that is not
// in it, kInvalid when nothing of what was named to be selected can do without what was excluded.
ArchiveSelection SelectParts(const ArchiveToc& toc, const WantedParts& wanted);

// What was held back, as a selection of its own.
ArchiveSelection HeldBack(const ArchiveSelection& selection);

// The list for pg_restore's -L: the selected entries of an archive in its own order. `same` says
// that it is the archive the selection was made from; of another one, the rows of the selected
// relations are taken.
std::string UseListText(const ArchiveToc& toc, const ArchiveSelection& selection, bool same);

// The entries of such a list.
std::set<int64_t> EntriesOf(const std::string& list);

// Whether it is an entry with which an archive sets up a session.
bool IsOfTheSession(const TocEntry& entry);

}  // namespace pgbackup
