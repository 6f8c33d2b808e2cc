// What tables are called in archives, and the fingerprints that were taken there.
#pragma once

#include <map>
#include <vector>

#include "core/dump/table_list.h"
#include "core/manifest/manifest.h"

namespace pgbackup {

// From names in the encoding of archives, which is the database's, to the same in UTF-8; those that
// do not differ are left out.
using ArchiveNames = std::map<QualifiedName, QualifiedName>;
ArchiveNames MakeArchiveNames(const std::vector<DumpTable>& tables);

// The table that archives call `name`, in UTF-8.
const QualifiedName& NameInUtf8(const QualifiedName& name, const ArchiveNames& names);

// What the lanes have told of the rows in their objects, added up for each table.
FingerprintList CollectFingerprints(const std::vector<ManifestObject>& objects,
                                    const ArchiveNames& names);

}  // namespace pgbackup
