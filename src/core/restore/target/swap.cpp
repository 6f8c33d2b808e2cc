#include "core/restore/target/swap.h"

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <set>

#include "core/base/deadline.h"
#include "core/base/error.h"
#include "core/postgres/quoting.h"
#include "core/restore/load/session_end.h"
#include "core/restore/target/home_catalog.h"
#include "core/restore/target/target_database.h"

namespace pgbackup {
namespace {

// The server gives up a rename after five seconds with other sessions; an agent that has been told
// to end has nine.
constexpr std::chrono::milliseconds kSwapTime{8000};
constexpr int kSwapAttempts = 3;

// One row for each obstacle: what, and what to do.
constexpr const char* kObstacleSql = R"(
SELECT 'It does not allow connections.',
       format('ALTER DATABASE %I ALLOW_CONNECTIONS true;', datname)
  FROM pg_database WHERE datname = $1 AND NOT datallowconn
UNION ALL
SELECT format('It has prepared transactions: %s.', string_agg(format('%L', gid), ', ' ORDER BY gid)),
       'Commit them or roll them back.'
  FROM pg_prepared_xacts WHERE database = $1 HAVING count(*) > 0
UNION ALL
SELECT format('It has subscriptions that are enabled or have a slot: %s.',
              string_agg(quote_ident(subname), ', ' ORDER BY subname)),
       format('In database %I: %s Their slots stay with the publishers: drop them there when nothing else uses them.',
              min(d.datname), string_agg(format('ALTER SUBSCRIPTION %1$I DISABLE; '
              'ALTER SUBSCRIPTION %1$I SET (slot_name = NONE);', subname), ' ' ORDER BY subname))
  FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
 WHERE d.datname = $1 AND (s.subenabled OR s.subslotname IS NOT NULL)
HAVING count(*) > 0
UNION ALL
SELECT format('It has logical replication slots: %s.',
              string_agg(quote_ident(slot_name), ', ' ORDER BY slot_name)),
       'Drop them; they cannot follow into the restored database.'
  FROM pg_replication_slots WHERE database = $1 HAVING count(*) > 0)";

// A database that is neither part of the swap nor likely to be missing: sessions there hinder
// nobody.
std::string NeutralDatabase(const std::string& home, const std::string& target) {
  if (home != target) return home;
  return target == "postgres" ? "template1" : "postgres";
}

std::string Rename(const std::string& from, const std::string& to) {
  return fmt::format("ALTER DATABASE {} RENAME TO {}", QuoteIdentifier(from), QuoteIdentifier(to));
}

bool IsInUse(const Error& error) {
  return error.message().find("(SQLSTATE 55006)") != std::string::npos;
}

class Swap {
 public:
  Swap(const ServerAddress& server, const std::string& home, const SwapNames& names,
       const RunRecord& record)
      : server_(server), home_(home), names_(names), record_(record) {}

  // `copied_until` is what CopyCatalog has returned, if the home database is swapped.
  void Perform(const std::string& copied_until);

 private:
  PostgresConnection Connect(const std::string& database) const {
    return PostgresConnection(SettingsFor(server_, database), deadline_.cancellation());
  }
  void RenameBoth(PostgresConnection& renaming);
  void Record(PostgresConnection& connection) const;

  const ServerAddress& server_;
  const std::string& home_;
  const SwapNames& names_;
  const RunRecord& record_;
  const Deadline deadline_{kSwapTime};
  std::optional<int64_t> target_oid_;
  int64_t incoming_oid_ = 0;
};

// The exception to the rule that the launcher alone writes the state of runs: what has been renamed
// and what has been recorded must not differ.
void Swap::Record(PostgresConnection& connection) const {
  const auto text = [](int64_t value) { return std::to_string(value); };
  connection.Query(
      "UPDATE pgbackup.restores SET kept_database = NULL, kept_oid = NULL WHERE kept_oid = $1::oid",
      {text(incoming_oid_)});
  const QueryResult recorded = connection.Query(
      "UPDATE pgbackup.restores SET status = 'completed', finished_at = clock_timestamp(), "
      "message = nullif($2, ''), detail = nullif($5, ''), hint = nullif($6, ''), "
      "kept_database = $3::name, kept_oid = $4::oid, staging_database = NULL "
      "WHERE id = $1::bigint AND status = 'in_progress' RETURNING id",
      {text(record_.id), record_.message, target_oid_ ? std::optional(names_.kept) : std::nullopt,
       target_oid_ ? std::optional(text(*target_oid_)) : std::nullopt, record_.detail,
       record_.hint});
  if (recorded.rows() == 0)
    throw Error(ErrorKind::kInvalid, fmt::format("run {} is not in progress any more", record_.id));
  connection.Query("SELECT pgbackup._continue_database($1::bigint, $2::oid, $3::oid)",
                   {text(record_.id), text(incoming_oid_),
                    target_oid_ ? std::optional(text(*target_oid_)) : std::nullopt});
  if (!record_.errors.empty())
    connection.Query("SELECT pgbackup._note_restore_errors($1::bigint, $2::jsonb)",
                     {text(record_.id), record_.errors});
}

void Swap::RenameBoth(PostgresConnection& renaming) {
  if (target_oid_) renaming.Execute(Rename(names_.target, names_.kept));
  renaming.Execute(Rename(names_.incoming, names_.target));
}

void Swap::Perform(const std::string& copied_until) {
  const bool moves_home = home_ == names_.target;
  const std::string neutral = NeutralDatabase(home_, names_.target);
  PostgresConnection renaming = Connect(neutral);
  renaming.Execute(
      "SELECT set_config('synchronous_commit', 'local', false) "
      "WHERE current_setting('synchronous_commit') = 'off'");
  target_oid_ = DatabaseOid(renaming, names_.target);
  incoming_oid_ = DatabaseOid(renaming, names_.incoming).value_or(0);
  std::optional<HomeCatalogMove> catalog;
  std::set<int64_t> spared;
  std::function<void()> move_catalog;
  if (moves_home) {
    catalog.emplace(Connect(names_.target), Connect(names_.incoming), copied_until);
    spared = catalog->Pids();
    move_catalog = [&] { catalog->Finish([&](PostgresConnection& to) { Record(to); }); };
  }
  renaming.Execute("BEGIN READ WRITE");
  for (const PropertyStatement& property : names_.properties) ApplyProperty(renaming, property);
  SessionEnd ending(Connect(neutral), BackendPid(renaming),
                    {target_oid_.value_or(incoming_oid_), incoming_oid_}, spared, move_catalog);
  RenameBoth(renaming);
  ending.Finish();
  if (!moves_home) Record(renaming);
  renaming.Execute("COMMIT");
}

[[noreturn]] void ThrowBusy(const std::string& target, const std::string& detail) {
  throw Error(ErrorKind::kBusy,
              fmt::format("the sessions in database \"{}\" did not end in time", target), detail,
              "Find them in pg_stat_activity and pg_locks, end them, and restore again.");
}

}  // namespace

void CheckCanBeReplaced(PostgresConnection& connection, const std::string& target) {
  const QueryResult obstacles = connection.Query(kObstacleSql, {target});
  if (obstacles.rows() == 0) return;
  std::string detail;
  std::string hint;
  for (int row = 0; row < obstacles.rows(); ++row) {
    detail += (row == 0 ? "" : " ") + obstacles.Text(row, 0);
    hint += (row == 0 ? "" : " ") + obstacles.Text(row, 1);
  }
  throw Error(ErrorKind::kInvalid, fmt::format("database \"{}\" cannot be replaced", target),
              detail, hint);
}

void SwapDatabases(const ServerAddress& server, const std::string& home, const SwapNames& names,
                   const RunRecord& record, const Cancellation& cancellation) {
  for (int attempt = 1;; ++attempt) {
    cancellation.ThrowIfCancelled();
    std::string copied_until;
    if (home == names.target) {
      PostgresConnection from(SettingsFor(server, names.target), cancellation);
      PostgresConnection to(SettingsFor(server, names.incoming), cancellation);
      copied_until = CopyCatalog(from, to);
    }
    try {
      Swap(server, home, names, record).Perform(copied_until);
      return;
    } catch (const Error& error) {
      const bool out_of_time = error.kind() == ErrorKind::kCancelled && !cancellation.IsCancelled();
      if (!IsInUse(error) && !out_of_time) throw;
      if (attempt == kSwapAttempts) ThrowBusy(names.target, out_of_time ? "" : error.message());
    }
  }
}

void AmendRecord(const ServerAddress& server, const std::string& home, const RunRecord& record,
                 const Cancellation& cancellation) {
  PostgresConnection connection(SettingsFor(server, home), cancellation);
  connection.Query(
      "UPDATE pgbackup.restores SET message = nullif($2, ''), detail = nullif($3, ''), "
      "hint = nullif($4, '') WHERE id = $1::bigint AND status = 'completed'",
      {std::to_string(record.id), record.message, record.detail, record.hint});
}

void DropKeptIfEmpty(const ServerAddress& server, const std::string& home, const std::string& kept,
                     int64_t run_id, const Cancellation& cancellation) {
  {
    PostgresConnection in_kept(SettingsFor(server, kept), cancellation);
    if (FindUserObject(in_kept)) return;
  }
  PostgresConnection connection(SettingsFor(server, home), cancellation);
  const QueryResult oid = connection.Query(
      "SELECT kept_oid FROM pgbackup.restores WHERE id = $1::bigint AND kept_database = $2::name",
      {std::to_string(run_id), kept});
  if (oid.rows() == 0) return;
  DropKeptDatabase(server, kept, oid.Integer(0, 0), cancellation);
  connection.Query(
      "UPDATE pgbackup.restores SET kept_database = NULL, kept_oid = NULL "
      "WHERE id = $1::bigint AND kept_database = $2::name",
      {std::to_string(run_id), kept});
}

}  // namespace pgbackup
