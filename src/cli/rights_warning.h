// What the user of the command line should know before a restore begins.
#pragma once

#include "core/job/run_context.h"
#include "core/postgres/server_address.h"

namespace pgbackup {

// Warns when a restore into the server evaluates functions and constraints of the backup with a
// superuser's rights, which those who wrote them need not have had. A server that cannot be asked
// is no error here: the restore will find out.
void WarnOfSuperuserRights(const ServerAddress& server, const RunContext& context);

}  // namespace pgbackup
