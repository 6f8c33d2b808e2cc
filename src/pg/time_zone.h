// The server's own time zones, as the core reads them.
#pragma once

#include "core/cron/cron.h"

#include "pg/server.h"

namespace pgbackup {

// Good as long as `zone` is, which is as long as the process.
TimeZone CoreZone(const pg_tz* zone);

}  // namespace pgbackup
