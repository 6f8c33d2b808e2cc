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
  std::string conninfo;  // pgbackup.dump_conninfo: overrides all but the database's name
  std::string conninfo_from = "pgbackup.dump_conninfo";  // what messages call it
  std::string bin_directory;                             // pgbackup.bin_directory
  // Its module confines our sessions; a run refuses to evaluate what others wrote if it does not.
  bool must_be_confined = false;
};

using ConnectionSettings = std::vector<std::pair<std::string, std::string>>;

// The libpq settings to connect to `database`. kInvalid when `conninfo` cannot be parsed or holds a
// password, which belongs into a file.
//
// Their `options` fix what settings of the database or of the role must not decide: the role, the
// kind of transactions, timeouts. They stand behind the options of the conninfo or, without those,
// of PGOPTIONS; a role that these set is kept.
ConnectionSettings SettingsFor(const ServerAddress& address, const std::string& database);

// Adds a switch of the server, such as "-c work_mem=1GB", behind those of the conninfo. It outranks
// the settings of databases and roles.
void AddServerOption(ConnectionSettings* settings, const std::string& option);

// Switches off the timeouts that only some versions of the server have, for programs; a connection
// of our own sees to them itself. An unknown one would be refused, hence `server_version`, e.g.
// 170002.
void AddTimeoutOptions(ConnectionSettings* settings, int server_version);

// The same settings for another database.
ConnectionSettings InDatabase(ConnectionSettings settings, const std::string& database);

// The database that a text for psql's -d names: that of a connection string, or the text itself;
// empty when a connection string names none. Throws as SettingsFor does; `from` is what messages
// call the text.
std::string DatabaseOf(const std::string& text, const std::string& from);

// Whether psql would take a text for its -d as a connection string and not as a name.
bool IsConnectionString(const std::string& text) noexcept;

// The environment variables that tell libpq how to connect, but not to which database or as which
// application. An agent has none of them but PGPASSFILE; on the command line they are the user's.
std::vector<std::string> ConnectionVariables();

// The same as one connection string, for the -d switch of PostgreSQL's programs.
std::string ConnectionString(const ConnectionSettings& settings);

}  // namespace pgbackup
