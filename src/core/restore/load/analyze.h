// Statistics for the planner, gathered before a restored database is used.
#pragma once

#include <cstdint>
#include <string>

#include "core/job/run_context.h"
#include "core/postgres/server_address.h"

namespace pgbackup {

// ANALYZE of every table of a database that nobody uses yet, `jobs` at a time, but of those whose
// rows lie partly elsewhere: sampling a foreign partition asks its server, which may not be there,
// or not be for this database to ask. `settings` are those of FillSettings: thousands of tables are
// as many commits.
//
// Statistics may be of expressions, which need not work for every row; that is no reason to do
// without the database. Returns what to say of tables whose ANALYZE the server answers with an
// error, empty when there are none. Throws any other failure.
std::string AnalyzeLocalTables(const ConnectionSettings& settings, int64_t jobs,
                               const RunContext& context);

}  // namespace pgbackup
