#include "core/restore/target/target_database.h"

#include <fmt/format.h>

#include "core/base/environment.h"
#include "core/base/error.h"
#include "core/base/utf8.h"
#include "core/postgres/content_settings.h"
#include "core/postgres/event_triggers.h"
#include "core/postgres/quoting.h"
#include "core/postgres/session_rights.h"

namespace pgbackup {
namespace {

constexpr size_t kMaxIdentifierLength = 63;  // NAMEDATALEN - 1

// Whoever owns a database can lock it up from another one, for example by COMMENT ON DATABASE.
PostgresConnection ConnectMaintenance(const ServerAddress& server,
                                      const Cancellation& cancellation) {
  PostgresConnection connection(SettingsFor(server, server.maintenance_database), cancellation);
  connection.Execute("SET lock_timeout = '30s'");
  return connection;
}

// A template cannot be dropped.
void DropTemplateMark(PostgresConnection& connection, const std::string& database) {
  if (connection.Query("SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate", {database})
          .rows() > 0)
    connection.Execute(
        fmt::format("ALTER DATABASE {} IS_TEMPLATE false", QuoteIdentifier(database)));
}

// False when the role, within a transaction, has no right to that; then nothing has happened.
bool ApplyIfAllowed(PostgresConnection& connection, const PropertyStatement& statement) {
  connection.Execute("SAVEPOINT property");
  try {
    ApplyProperty(connection, statement);
    connection.Execute("RELEASE SAVEPOINT property");
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kDenied) throw;
    connection.Execute("ROLLBACK TO SAVEPOINT property");
    return false;
  }
}

// Objects below this OID came with the database itself (FirstNormalObjectId).
constexpr const char* kUserObjectSql = R"(
WITH user_object AS (
  SELECT 'pg_class'::regclass AS class, oid FROM pg_class WHERE relpersistence <> 't'
    AND relnamespace <> 'pg_toast'::regnamespace
  UNION ALL SELECT 'pg_namespace'::regclass, oid FROM pg_namespace
    WHERE nspname <> 'public' AND nspname !~ '^pg_(toast_)?temp_'
  UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc
  UNION ALL SELECT 'pg_type'::regclass, t.oid FROM pg_type t
    JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname !~ '^pg_(toast_)?temp_'
    AND t.typrelid = 0 AND t.typelem = 0
  UNION ALL SELECT 'pg_extension'::regclass, oid FROM pg_extension WHERE extname <> 'plpgsql'
  UNION ALL SELECT 'pg_largeobject'::regclass, oid FROM pg_largeobject_metadata
  UNION ALL SELECT 'pg_event_trigger'::regclass, oid FROM pg_event_trigger
  UNION ALL SELECT 'pg_publication'::regclass, oid FROM pg_publication
  UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid FROM pg_foreign_data_wrapper
  UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator
  UNION ALL SELECT 'pg_cast'::regclass, oid FROM pg_cast
  UNION ALL SELECT 'pg_collation'::regclass, oid FROM pg_collation
  UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config
  UNION ALL SELECT 'pg_subscription'::regclass, oid FROM pg_subscription
    WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT pg_describe_object(class, oid, 0) FROM user_object WHERE oid >= 16384
ORDER BY class, oid LIMIT 1)";

}  // namespace

bool DatabaseExists(PostgresConnection& connection, const std::string& name) {
  return connection.Query("SELECT 1 FROM pg_database WHERE datname = $1", {name}).rows() > 0;
}

std::optional<int64_t> DatabaseOid(PostgresConnection& connection, const std::string& name) {
  const QueryResult found =
      connection.Query("SELECT oid FROM pg_database WHERE datname = $1", {name});
  if (found.rows() == 0) return std::nullopt;
  return found.Integer(0, 0);
}

std::optional<std::string> FindUserObject(PostgresConnection& connection) {
  const QueryResult found = connection.Query(kUserObjectSql);
  if (found.rows() == 0) return std::nullopt;
  return found.Text(0, 0);
}

void CheckDatabaseIsEmpty(PostgresConnection& connection, const std::string& name) {
  const std::optional<std::string> found = FindUserObject(connection);
  if (!found) return;
  throw Error(ErrorKind::kAlreadyExists, fmt::format("database \"{}\" is not empty", name),
              fmt::format("It holds {}.", *found),
              "Restore into a name that is free or into an empty database, or let the restore take "
              "its place: replace => true.");
}

std::string SideDatabaseName(std::string_view target, int64_t id, std::string_view suffix) {
  const std::string end = fmt::format("__restore_{}_{}", id, suffix);
  return fmt::format("{}{}", CutUtf8(target, kMaxIdentifierLength - end.size()), end);
}

SideDatabase::SideDatabase(const ServerAddress& server, std::string name,
                           const DatabaseProperties& properties, const Cancellation& cancellation)
    : server_(server), name_(std::move(name)) {
  PostgresConnection connection = ConnectMaintenance(server_, cancellation);
  if (DatabaseExists(connection, name_))
    throw Error(ErrorKind::kAlreadyExists, fmt::format("database \"{}\" exists already", name_),
                "A restore fills a database of this name before it takes the target's name.",
                "Drop it if an earlier restore left it behind.");
  const bool has_tablespace =
      connection.Query("SELECT 1 FROM pg_tablespace WHERE spcname = $1", {properties.tablespace})
          .rows() > 0;
  // The limit keeps out whom a grant lets in, but also a creator who is no superuser.
  const char* limit = ReadSessionRights(connection).is_superuser ? " CONNECTION LIMIT 0" : "";
  connection.Execute(
      CreateDatabaseSql(properties, name_, connection.server_major(), has_tablespace) +
      " ALLOW_CONNECTIONS false" + limit);
  const std::string database = QuoteIdentifier(name_);
  connection.Execute("BEGIN READ WRITE");
  connection.Execute(fmt::format("REVOKE ALL ON DATABASE {} FROM PUBLIC", database));
  for (const DatabaseSetting& setting : SettingsToRestoreWith(properties.settings))
    ApplyIfAllowed(connection, {AlterSettingSql(setting, name_)});
  connection.Execute(fmt::format("ALTER DATABASE {} ALLOW_CONNECTIONS true", database));
  connection.Execute("COMMIT");
}

namespace {

// Returns what a role that is no superuser was denied, as places in `properties`.
std::vector<size_t> Apply(PostgresConnection& connection,
                          const std::vector<PropertyStatement>& properties, bool is_superuser) {
  std::vector<size_t> denied;
  for (size_t i = 0; i < properties.size(); ++i) {
    if (is_superuser)
      ApplyProperty(connection, properties[i]);
    else if (!ApplyIfAllowed(connection, properties[i]))
      denied.push_back(i);
  }
  return denied;
}

}  // namespace

std::vector<size_t> SideDatabase::TakeName(const std::string& target,
                                           const std::vector<PropertyStatement>& properties,
                                           const Cancellation& cancellation) {
  PostgresConnection connection = ConnectMaintenance(server_, cancellation);
  const bool is_superuser = ReadSessionRights(connection).is_superuser;
  // The sessions that filled the database did not wait for their commits to be on disk. WAL is
  // flushed in its order, so the commit of the new name, which is waited for, brings all of them
  // there.
  connection.Execute(
      "SELECT set_config('synchronous_commit', 'local', false) "
      "WHERE current_setting('synchronous_commit') = 'off'");
  if (DatabaseExists(connection, target)) {
    {
      PostgresConnection in_target(SettingsFor(server_, target), cancellation);
      in_target.Execute("SET lock_timeout = '30s'");
      CheckDatabaseIsEmpty(in_target, target);
    }
    DropTemplateMark(connection, target);
    connection.Execute(fmt::format("DROP DATABASE {}", QuoteIdentifier(target)));
  }
  const std::string rename = fmt::format("ALTER DATABASE {} RENAME TO {}", QuoteIdentifier(name_),
                                         QuoteIdentifier(target));
  // A backend that has just been told to end (ours, or autovacuum's) may still be in the database.
  constexpr int kAttempts = 5;
  for (int attempt = 1;; ++attempt) {
    try {
      connection.Execute("BEGIN READ WRITE");
      std::vector<size_t> denied = Apply(connection, properties, is_superuser);
      connection.Execute(rename);
      connection.Execute("COMMIT");
      return denied;
    } catch (const Error& error) {
      const bool in_use = error.message().find("(SQLSTATE 55006)") != std::string::npos;
      if (!in_use || attempt == kAttempts) throw;
      connection.Execute("ROLLBACK");
    }
    connection.Query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
                     {name_});
  }
}

namespace {

// Which subscriptions of a database.
constexpr const char* kAllSubscriptions = "true";
constexpr const char* kIdleSubscriptions = "NOT s.subenabled AND s.subslotname IS NULL";

// A database with subscriptions cannot be dropped. The publishers hear nothing of this.
void DropSubscriptions(const ServerAddress& server, const std::string& database, const char* which,
                       PostgresConnection& connection, const Cancellation& cancellation) {
  const QueryResult subscriptions = connection.Query(
      fmt::format("SELECT quote_ident(s.subname) FROM pg_subscription s "
                  "JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = $1 AND {}",
                  which),
      {database});
  if (subscriptions.rows() == 0) return;
  PostgresConnection in_database(WithoutLoginTriggers(SettingsFor(server, database), connection),
                                 cancellation);
  for (int row = 0; row < subscriptions.rows(); ++row) {
    const std::string name = subscriptions.Text(row, 0);
    WithoutEventTriggers(in_database, [&] {
      in_database.Execute(fmt::format("ALTER SUBSCRIPTION {} DISABLE", name));
      in_database.Execute(fmt::format("ALTER SUBSCRIPTION {} SET (slot_name = NONE)", name));
      in_database.Execute(fmt::format("DROP SUBSCRIPTION {}", name));
    });
  }
}

}  // namespace

namespace {

// Its owner changes in the transaction that renames it, no earlier, and no other role can give a
// database of its own to this one.
constexpr const char* kIsOursSql =
    "SELECT 1 FROM pg_database d JOIN pg_roles o ON o.oid = d.datdba WHERE d.datname = $1 "
    "AND (o.rolname = current_user OR o.rolsuper AND current_setting('is_superuser') = 'on')";

}  // namespace

void DropSideDatabase(const ServerAddress& server, const std::string& name,
                      const Cancellation& cancellation) {
  PostgresConnection connection = ConnectMaintenance(server, cancellation);
  // A session whose agent is gone goes on creating it, and nobody sees it before that is done.
  connection.Query(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
      "WHERE starts_with(query, $1) AND pid <> pg_backend_pid()",
      {fmt::format("CREATE DATABASE {} ", QuoteIdentifier(name))});
  if (connection.Query(kIsOursSql, {name}).rows() == 0) return;
  // Those that were restored were never enabled, and their slots are the source's.
  DropSubscriptions(server, name, kAllSubscriptions, connection, cancellation);
  connection.Execute(fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE)", QuoteIdentifier(name)));
}

void DropKeptDatabase(const ServerAddress& server, const std::string& name, int64_t oid,
                      const Cancellation& cancellation) {
  PostgresConnection connection = ConnectMaintenance(server, cancellation);
  if (DatabaseOid(connection, name) != oid) return;
  // One whose drop was interrupted can be dropped, but not altered.
  DropTemplateMark(connection, name);
  // Any other has been enabled or got a slot since: the server then refuses the drop.
  DropSubscriptions(server, name, kIdleSubscriptions, connection, cancellation);
  connection.Execute(fmt::format("DROP DATABASE {} WITH (FORCE)", QuoteIdentifier(name)));
}

}  // namespace pgbackup
