// How to reach the server, as settings for libpq.
//
// A name of a database is never parsed as a connection string, whatever it holds.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace pgbackup {

struct ServerAddress {
  std::string host;  // name, address or folder of the socket; empty: libpq's default
  std::string port;
  std::string user;
  std::string maintenance_database = "postgres";  // for what concerns no database or makes one
  std::string conninfo;       // pgbackup.dump_conninfo: overrides all but the database's name
  std::string bin_directory;  // pgbackup.bin_directory
};

using ConnectionSettings = std::vector<std::pair<std::string, std::string>>;

// The libpq settings to connect to `database`. kInvalid when `conninfo` cannot be parsed or holds a
// password, which belongs into a file.
ConnectionSettings SettingsFor(const ServerAddress& address, const std::string& database);

// The same as one connection string, for the -d switch of PostgreSQL's programs.
std::string ConnectionString(const ConnectionSettings& settings);

}  // namespace pgbackup
