// In which order rows are loaded. Pure.
//
// Loading rows may call code that is not built into the server, for a CHECK constraint, a domain, a
// generated column or a partition key, and that may read other tables. The rows of such tables are
// loaded one table after the other when all others are in, in the order that pg_restore would take
// them from one archive of everything: by schema and name. Then it finds at least what it would
// find there. Sequences get their values at the very end, as there.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/archive/archive_toc.h"
#include "core/restore/plan/archived_code.h"
#include "core/restore/plan/object_parts.h"

namespace pgbackup {

struct RowLoad {
  size_t object = 0;                // of the manifest
  std::optional<std::string> list;  // the entries (-L); none: all
  bool from_head = false;           // they need the archive's table of contents only
};

struct LoadOrder {
  std::vector<RowLoad> at_once;     // in any order
  std::vector<RowLoad> one_by_one;  // when all of these are in
};

// What is known of the objects, see RestoreContents.
struct LoadOrderInput {
  const std::vector<std::vector<QualifiedName>>& tables;
  const std::map<size_t, ArchiveToc>& archives;
  const std::vector<ObjectPart>& parts;
};

// Whether what is in the object has to be known: it holds rows of several tables, not all of which
// may be loaded at the same time.
bool MayHaveToBeSplit(const ManifestObject& object, const std::vector<QualifiedName>& tables,
                      const ArchivedCode& code);

// `objects` of the manifest, which hold rows.
LoadOrder OrderLoads(const std::vector<size_t>& objects, const LoadOrderInput& input,
                     const ArchivedCode& code);

}  // namespace pgbackup
