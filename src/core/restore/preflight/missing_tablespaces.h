// Tablespaces that a cluster had and the server does not have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/postgres/postgres_connection.h"
#include "core/restore/plan/findings.h"
#include "core/restore/plan/tablespace_script.h"

namespace pgbackup {

// Those of a globals.sql that do not exist. That the server has no folder for one, or that another
// server's files are in it, is a finding. Left out are those within the data directory, which have
// no folder of their own. Changes nothing.
std::vector<TablespaceScript> PlanMissingTablespaces(std::string_view globals,
                                                     PostgresConnection& connection,
                                                     Findings* findings);

// `tablespaces were created: "a", "b"`, or of a dry run that they would be; empty when there are
// none.
std::string TablespacesInWords(const std::vector<TablespaceScript>& tablespaces, bool dry_run);

// Makes them, one after the other, with owner, options and privileges: the roles are there.
void CreateTablespaces(PostgresConnection& connection,
                       const std::vector<TablespaceScript>& tablespaces);

}  // namespace pgbackup
