// Privileges of roles that were gone when the backup was made.
//
// DROP ROLE refuses to leave them behind, but catalogs that were mended by hand, or that came
// through old versions, have them. pg_dump writes the number of the role for its name, and no
// server takes the statement.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/archive/archive_toc.h"
#include "core/manifest/manifest.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// Whether a name, as pg_dump writes it, stands for a role that is gone: a number that the manifest
// does not name as a role, nor the server has one of.
using IsGone = std::function<bool(const std::string&)>;
IsGone RolesThatAreGone(const Manifest& manifest, PostgresConnection& connection);

// The ids of entries that grant to, or by, such roles.
std::vector<int64_t> DanglingGrants(const ArchiveToc& toc, const IsGone& is_gone);

// Blanks these statements, in `toc` and in `archive`, the bytes that it was read from, which keep
// their length. Returns on what the privileges were: "TABLE t (public)".
std::vector<std::string> BlankGrants(const std::vector<int64_t>& entries, const IsGone& is_gone,
                                     int integer_size, ArchiveToc* toc, std::string* archive);

}  // namespace pgbackup
