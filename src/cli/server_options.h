// The options that say which server, as psql and pg_dump have them.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "core/base/environment.h"
#include "core/postgres/server_address.h"

namespace pgbackup {

class ServerOptions {
 public:
  // `about_database` describes -d.
  void AddTo(CLI::App& command, const char* about_database);
  // Only --bin-directory, for commands that need programs but no server.
  void AddProgramsTo(CLI::App& command);

  // True when the command line names a server or a database.
  bool IsGiven() const noexcept;

  // What is missing comes from the environment, as libpq takes it. The maintenance database is the
  // one that -d or PGDATABASE names, else "postgres". Throws kInvalid for a -d that is no
  // connection string, or holds a password.
  ServerAddress Address(const Environment& environment) const;

  // The database that -d or PGDATABASE names; empty when neither does.
  std::string Database(const Environment& environment) const;

 private:
  std::string host_, port_, user_, dbname_, bin_directory_;
};

}  // namespace pgbackup
