// The sessions of a run: its own and those of the programs that it starts.
//
// They are those of one role whose application_name is the run's own (`RunSettings`), so that a
// look needs to know neither their number nor their process ids, and can be taken from any
// database.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// `settings` with the application_name of run `id`; `kind` is "backup", "restore" or "verify".
ConnectionSettings RunSettings(ConnectionSettings settings, std::string_view kind, int64_t id);

// The beginning of a query by a connection with the settings of the run: "WITH s AS (…), ours AS
// (…) ", where s has all sessions of the server as pg_stat_get_activity gives them and ours the pid
// of each session of the run but the connection itself. It reads no table of the database.
extern const char* const kRunSessionsSql;

// Ends all sessions of the run but `connection`, and with them their locks, at once.
void EndSessionsOfRun(PostgresConnection& connection);

// A relation of a database in words, such as: sequence "app"."orders_id_seq". Opens a connection
// like those that have `settings`, because only there its name can be seen; where that does not
// answer within seconds, the OID has to do. An empty `database` means any.
std::string RelationInWords(const ConnectionSettings& settings, const std::string& database,
                            int64_t oid);

// "4.2 s", "60 s"
std::string SecondsInWords(int64_t milliseconds);

}  // namespace pgbackup
