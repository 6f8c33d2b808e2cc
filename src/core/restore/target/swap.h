// Gives a database the name of another one, which stays under a third name.
//
// One transaction renames both and records the run, so whatever is killed, and whenever: either all
// of it has happened or nothing. Other sessions are ended only once the transaction holds the lock
// that new ones wait at, so none can get in between; clients are refused for as long as it takes
// the server to end theirs, some tenths of a second.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/postgres/database_properties.h"
#include "core/postgres/postgres_connection.h"
#include "core/postgres/server_address.h"

namespace pgbackup {

struct SwapNames {
  std::string incoming;  // gets the name `target`;
  std::string target;    // the database that has it now, if there is one,
  std::string kept;      // gets this one
  // Statements that give `incoming` its owner, privileges and settings, executed just before.
  std::vector<PropertyStatement> properties = {};
};

// Throws kInvalid, naming everything that is in the way, unless `target` can be renamed now and
// dropped later: it must allow connections and hold no prepared transaction, no logical replication
// slot and no subscription but those that are disabled and have no slot. `connection` may be in any
// database of the server. A target that does not exist is nobody's obstacle.
void CheckCanBeReplaced(PostgresConnection& connection, const std::string& target);

// What pgbackup.restores is to say of a run that has completed; what is empty becomes null.
struct RunRecord {
  int64_t id = 0;
  std::string message = {};
  std::string detail = {};
  std::string hint = {};
  std::string errors = {};  // that it went past: a JSON array, see RestoreErrors
};

// Swaps, and records the run, which must be in progress, as completed. The catalog is that of the
// database `home`. When `target` is the home database, what the catalog holds is copied into the
// incoming one within the same moment.
//
// Asks `cancellation` before anything is changed; from then on the swap is carried out or given up
// by itself within seconds. Throws kBusy when sessions would not end, and whatever the server
// answers: then nothing has changed. When the server goes away during the commit, nobody knows.
void SwapDatabases(const ServerAddress& server, const std::string& home, const SwapNames& names,
                   const RunRecord& record, const Cancellation& cancellation);

// Corrects what the swap has recorded of the run, once what comes after it is done.
void AmendRecord(const ServerAddress& server, const std::string& home, const RunRecord& record,
                 const Cancellation& cancellation);

// Drops the database that run `run_id` has kept under the name `kept`, and records that, unless it
// holds something.
void DropKeptIfEmpty(const ServerAddress& server, const std::string& home, const std::string& kept,
                     int64_t run_id, const Cancellation& cancellation);

}  // namespace pgbackup
