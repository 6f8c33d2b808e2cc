// The server's own time zones, as the core reads them.
#pragma once

#include "shared/cron/cron.h"

#include "pg/server.h"

namespace pgbackup {

// Good as long as `zone` is, which is as long as the process.
TimeZone CoreZone(const pg_tz* zone);

// The zone of this name, that of the settings when the name is empty; nullptr for one that is
// unknown, or known no more.
pg_tz* ZoneNamed(const char* name);

}  // namespace pgbackup
