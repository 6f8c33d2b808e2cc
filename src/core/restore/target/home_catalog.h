// What the extension has recorded, when the home database itself is swapped for a restored one: the
// extension's tables are not part of a dump.
//
// It goes in two steps, because the second one has to be done within the few seconds in which
// nobody is let into the database: first everything, while the launcher goes on writing, then what
// has changed since.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "core/postgres/postgres_connection.h"

namespace pgbackup {

// Throws kNotFound unless the database of this connection has the extension.
void CheckHasExtension(PostgresConnection& connection, const std::string& database);

// Copies the rows of the extension's tables to another database that has the extension, too; what
// was there goes. Returns the transaction id (text) from which on rows may differ.
std::string CopyCatalog(PostgresConnection& from, PostgresConnection& to);

class HomeCatalogMove {
 public:
  // `since` is what CopyCatalog has returned.
  HomeCatalogMove(PostgresConnection from, PostgresConnection to, std::string since);

  // The process ids of both sessions.
  std::set<int64_t> Pids();

  // Copies what has changed, and how far the sequences are, in one transaction; `record` is called
  // within it, with the session in the new database. To be called while no other session writes.
  // Ends both sessions, also when it throws.
  void Finish(const std::function<void(PostgresConnection&)>& record);

 private:
  std::optional<PostgresConnection> from_, to_;
  const std::string since_;
};

}  // namespace pgbackup
