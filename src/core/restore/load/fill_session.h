// The sessions that fill a side database: pg_restore's and our own.
//
// Nobody else sees that database, and a restore that fails drops it. So these sessions do not wait
// for their commits to be on disk: the one that gives it its name does, once, for all of them. And
// they build indexes with more memory than the server allows its own sessions, if it has plenty.
// Settings of the database that decide about values are those of the backup (SideDatabase).
#pragma once

#include <cstdint>

#include "core/postgres/postgres_connection.h"
#include "core/postgres/server_address.h"

namespace pgbackup {

// maintenance_work_mem of a session, in kilobytes, when `jobs` of them build indexes at once: what
// the server has set, or more, up to 1 GB, as long as all of them together take no more than the
// server's shared buffers. That setting, unlike the machine's memory, also tells what a container
// may take. Never less than the server's own setting.
int64_t IndexMemory(int64_t maintenance_work_mem, int64_t shared_buffers, int64_t jobs);

// `settings` (of the side database) as these sessions use them. Asks the server for its settings.
ConnectionSettings FillSettings(const ConnectionSettings& settings, int64_t jobs,
                                const Cancellation& cancellation);

// Gives a session of ours what the beginning of an archive gives pg_restore's, as far as that of a
// range (CopyBegin) does not. As there, DateStyle and IntervalStyle are the database's own: they
// are part of what its constraints may depend on, and rows are dumped so that any style reads them.
void PrepareFillSession(PostgresConnection& connection);

}  // namespace pgbackup
