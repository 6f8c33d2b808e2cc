// Roles that a restore needs and the server does not have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/job/job.h"
#include "core/manifest/manifest.h"
#include "core/postgres/postgres_connection.h"
#include "core/progress/progress.h"
#include "core/restore/plan/findings.h"
#include "core/restore/plan/role_script.h"
#include "core/storage/storage.h"

namespace pgbackup {

// Without create_roles, roles that are missing are a finding. With it, the backup's globals say how
// to make them, unless they cannot, which is one, too. Changes nothing.
RoleScript PlanMissingRoles(const RestoreJob& job, const Manifest& manifest, Storage& storage,
                            const std::vector<std::string>& missing, PostgresConnection& connection,
                            Progress& progress, Findings* findings);

// Makes every role of a globals.sql that the server does not have, and grants what everybody may do
// with parameters.
RoleScript PlanAllRoles(std::string_view globals, PostgresConnection& connection);

// All of them or none.
void CreateRoles(PostgresConnection& connection, const RoleScript& script);

// `roles were created: "a", "b" (superuser)`, and what was left out; empty when there is nothing.
std::string CreatedRolesInWords(const RoleScript& script);

}  // namespace pgbackup
