// What the extension has recorded, when the home database itself is swapped for a restored one: the
// extension's tables are not part of a dump.
#pragma once

#include <functional>
#include <optional>
#include <set>

#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// Throws kNotFound unless the database of this connection has the extension.
void CheckHasExtension(PostgresConnection& connection, const std::string& database);

// Copies the rows of the extension's tables, and how far its sequences are, from one database to
// another one that has the extension, too. What was there goes.
class HomeCatalogMove {
 public:
  HomeCatalogMove(PostgresConnection from, PostgresConnection to);

  // The process ids of both sessions.
  std::set<int64_t> Pids();

  // Copies in one transaction; `record` is called within it, with the session in the new database.
  // To be called while no other session writes. Ends both sessions, also when it throws.
  void Copy(const std::function<void(PostgresConnection&)>& record);

 private:
  std::optional<PostgresConnection> from_, to_;
};

}  // namespace pgbackup
