// USAGE of a schema for the roles that pass privileges on, for as long as these are being restored.
//
// Who was granted a privilege with GRANT OPTION has to grant it to others himself, and can only
// name what is in a schema that he may use.
#pragma once

#include <string>
#include <vector>

#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// The roles that have granted privileges on something in the schema that is not their own.
std::vector<std::string> GrantorsIn(PostgresConnection& connection, const std::string& schema);

// Grants USAGE to those of `roles` who lack it, and returns them.
std::vector<std::string> GrantUsage(PostgresConnection& connection, const std::string& schema,
                                    const std::vector<std::string>& roles);
void RevokeUsage(PostgresConnection& connection, const std::string& schema,
                 const std::vector<std::string>& roles);

}  // namespace pgbackup
