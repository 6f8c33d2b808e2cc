// The dependencies that an archive's table of contents lacks, for choosing parts of it. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/archive/archive_toc.h"
#include "core/manifest/part_needs.h"
#include "core/postgres/quoting.h"

namespace pgbackup {

// Adds to `toc`, where they are missing: what constraints need for their indexes and which
// extension a grant is about, as far as the backup recorded it (`needs`; `tags` are those of
// `needs->of_extensions`, in their order, in the encoding of the archive), and the table whose
// column owns a sequence to the entry that makes it so.
ArchiveToc CompletedToc(ArchiveToc toc, const std::optional<PartNeeds>& needs,
                        const std::vector<QualifiedName>& tags);

}  // namespace pgbackup
