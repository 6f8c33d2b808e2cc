// The databases a restore touches: the target, and the side database that is filled first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/postgres/database_properties.h"
#include "core/postgres/postgres_connection.h"
#include "core/postgres/server_address.h"

namespace pgbackup {

bool DatabaseExists(PostgresConnection& connection, const std::string& name);
std::optional<int64_t> DatabaseOid(PostgresConnection& connection, const std::string& name);

// Names something in the database of this connection that a user made, if there is anything.
std::optional<std::string> FindUserObject(PostgresConnection& connection);

// Throws kAlreadyExists, naming what it found, unless the database of this connection holds nothing
// that a user made.
void CheckDatabaseIsEmpty(PostgresConnection& connection, const std::string& name);

// "<target>__restore_<id>_<suffix>", the target cut so that the whole fits into a name (63 bytes).
// `suffix` is random, so that no other session can take the name first.
std::string SideDatabaseName(std::string_view target, int64_t id, std::string_view suffix);

// The database that is filled and, when all went well, takes the target's name. Until then it
// belongs to the role that has created it, and only that role (and, where it is a superuser's,
// only superusers) can connect to it.
class SideDatabase {
 public:
  // Creates it, empty, in the default tablespace if its own does not exist here. No role can
  // connect before everything is revoked. All its sessions get the SettingsToRestoreWith of
  // `properties`, as far as this role may set them: constraints, generated columns and materialized
  // views may depend on them. Throws kAlreadyExists when the name is taken.
  SideDatabase(const ServerAddress& server, std::string name, const DatabaseProperties& properties,
               const Cancellation& cancellation);

  const std::string& name() const noexcept { return name_; }

  // Executes `properties` and gives it the target's name, all in one transaction, where no catalog
  // records that (else: swap.h). An existing target is checked to be empty, once more, and dropped.
  // When it returns, all that other sessions have committed in the database is durable. Returns the
  // places of the statements that the role, not being a superuser, has no right to execute: they
  // are left out.
  std::vector<size_t> TakeName(const std::string& target,
                               const std::vector<PropertyStatement>& properties,
                               const Cancellation& cancellation);

 private:
  const ServerAddress& server_;
  const std::string name_;
};

// Ends all connections to the side database `name`, or the session that is just creating it, and
// drops it. One that does not exist is no error. A database that does not belong to this role or,
// for a superuser, to a superuser is not of a restore's making and is left alone.
void DropSideDatabase(const ServerAddress& server, const std::string& name,
                      const Cancellation& cancellation);

// The same for what a restore has replaced: only if `name` still is the database `oid`.
void DropKeptDatabase(const ServerAddress& server, const std::string& name, int64_t oid,
                      const Cancellation& cancellation);

}  // namespace pgbackup
