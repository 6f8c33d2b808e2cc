// Of what a whole database needs of its server, that which a part of it does. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/archive/archive_toc.h"
#include "core/manifest/requirements.h"

namespace pgbackup {

// Of `all`, what the entries `wanted` (none: all) of an archive name. `archive_roles` are the roles
// of `all`, in their order, in the encoding of the archive.
Requirements PartRequirements(const Requirements& all,
                              const std::vector<std::string>& archive_roles, const ArchiveToc& toc,
                              const std::optional<std::set<int64_t>>& wanted);

}  // namespace pgbackup
