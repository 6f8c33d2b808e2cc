#include "core/check/check_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/deadline.h"
#include "core/base/json.h"
#include "core/base/sha256.h"
#include "core/check/encryption_check.h"
#include "core/dump/lock_budget.h"
#include "core/manifest/manifest_mac.h"
#include "core/postgres/postgres_connection.h"
#include "core/process/program.h"
#include "core/storage/object_probe.h"

namespace pgbackup {
namespace {

// How long tables are counted, one database after the other.
constexpr std::chrono::seconds kCountingTime{10};

class Check {
 public:
  Check(const CheckJob& job, const RunContext& context) : job_(job), context_(context) {}

  const ProbeReport& Run() {
    if (job_.server_major != 0) {
      CheckPrograms();
      if (report_.Try("connection", [&] { return Connection(); }))
        report_.Try("locks", [&] { return Locks(); });
    }
    const EncryptionSettings& encryption = job_.encryption;
    if (!encryption.recipients.empty() || !encryption.identity_file.empty() ||
        !encryption.passphrase_file.empty())
      report_.Try("encryption", [&] { return TryEncryption(encryption, context_.environment); });
    if (!job_.manifest_key.file.empty())
      report_.Try("manifest key", [&]() -> ProbeFinding {
        const size_t keys = ManifestKeys(job_.manifest_key.file).size();
        return fmt::format("manifests are signed; {} key{} can be checked", keys,
                           keys == 1 ? "" : "s");
      });
    if (!job_.storage.url.empty()) CheckStorage();
    return report_;
  }

 private:
  void CheckPrograms();
  ProbeFinding Connection() const;
  ProbeFinding Locks() const;
  void CheckStorage();
  void RemoveProbe(const std::string& folder);
  std::string ProbeFolder() const;

  const CheckJob& job_;
  const RunContext& context_;
  ProbeReport report_;
};

void Check::CheckPrograms() {
  const Programs programs = MakePrograms(job_.server.bin_directory, context_.environment);
  for (const std::string name : {"pg_dump", "pg_dumpall", "pg_restore"})
    report_.Try(name, [&]() -> ProbeFinding {
      const ProgramVersion version = AskProgramVersion(programs, name, context_.cancellation);
      CheckProgramVersion(name, version, static_cast<int>(job_.server_major), "the server");
      return fmt::format("{}, version {}", FindProgram(programs, name), version.text);
    });
}

// As a backup's coordinator does it.
ProbeFinding Check::Connection() const {
  PostgresConnection connection(SettingsFor(job_.server, job_.server.maintenance_database),
                                context_.cancellation);
  const QueryResult who = connection.Query(
      "SELECT current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)");
  const std::string user = who.Text(0, 0);
  if (who.Flag(0, 1)) return fmt::format("as role \"{}\"", user);
  return {ProbeStatus::kWarning, fmt::format("as role \"{}\", which is no superuser", user),
          "A dump fails at the first table this role may not read. Make the extension belong to a "
          "superuser, or name one in pgbackup.dump_conninfo."};
}

// Whether the server's lock table is big enough for the backups with most tables, as many as run at
// the same time.
ProbeFinding Check::Locks() const {
  PostgresConnection connection(SettingsFor(job_.server, job_.server.maintenance_database),
                                context_.cancellation);
  const LockTable table = ReadLockTable(connection);
  const auto until = context_.environment.SteadyNow() + kCountingTime;
  std::vector<std::pair<LockDemand, std::string>> demands;
  for (const std::string& database : job_.databases) {
    if (context_.environment.SteadyNow() > until) break;
    PostgresConnection each(SettingsFor(job_.server, database), context_.cancellation);
    each.Execute("SET lock_timeout = '5s'");
    demands.emplace_back(CountLockable(each, DumpsThatLockAll(job_.format, DumpContent::kAll)),
                         database);
  }
  std::sort(demands.begin(), demands.end(), [&](const auto& a, const auto& b) {
    return LocksPerTransactionFor(a.first, table) > LocksPerTransactionFor(b.first, table);
  });
  LockDemand sum{0, 0, 1, 0};
  std::string whose;
  for (size_t i = 0; i < demands.size() && i < static_cast<size_t>(job_.max_concurrent); ++i) {
    sum += demands[i].first;
    whose += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", demands[i].second);
  }
  std::string detail = fmt::format("max_locks_per_transaction = {}", table.per_transaction);
  if (!whose.empty())
    detail += fmt::format(", {} needed for {} with {} tables, {} views and sequences",
                          LocksPerTransactionFor(sum, table), whose, sum.tables, sum.others);
  if (demands.size() < job_.databases.size())
    detail +=
        fmt::format("; {} of {} databases were looked at", demands.size(), job_.databases.size());
  const std::string advice = LockAdvice(sum, table);
  if (advice.empty()) return detail;
  return {ProbeStatus::kError, detail, advice};
}

std::string Check::ProbeFolder() const {
  std::array<std::byte, 8> random;
  context_.environment.FillRandom(random);
  return fmt::format("{}/{}", kProbeFolder, ToHex(random));
}

void Check::CheckStorage() {
  std::unique_ptr<Storage> storage;
  const bool opened = report_.Try("storage settings", [&] {
    storage = context_.open_storage(context_.cancellation);
    return ProbeFinding(storage->url());
  });
  if (!opened) return;
  const std::string folder = ProbeFolder();
  bool may_be_left = true;
  try {
    may_be_left = storage->Probe({folder, context_.environment, job_.needed_bytes}, report_);
  } catch (...) {
    RemoveProbe(folder);
    throw;
  }
  if (may_be_left) RemoveProbe(folder);
}

// What the probe has not removed itself: it was cancelled, or something is wrong with deleting.
void Check::RemoveProbe(const std::string& folder) {
  const Deadline deadline(kCleanUpTime);
  const auto storage = context_.open_storage(deadline.cancellation());
  const bool removed = report_.Try("cleaning up", [&]() -> ProbeFinding {
    try {
      RemoveProbeFolder(*storage, folder);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCancelled) throw;
      return {ProbeStatus::kError, "the storage takes too long to remove what this check wrote",
              "pgbackup.cleanup() will remove it when it is old enough."};
    }
    return std::string("nothing of this check is left");
  });
  if (!removed) context_.log(fmt::format("could not remove {}/{}", storage->url(), folder));
}

boost::json::array Rows(const ProbeReport& report) {
  boost::json::array rows;
  for (const ProbeRow& row : report.rows()) {
    boost::json::object entry;
    entry["item"] = row.item;
    entry["status"] = ProbeStatusName(row.status);
    entry["detail"] = JsonText(std::string_view(row.detail));
    entry["hint"] =
        row.hint.empty() ? boost::json::value(nullptr) : JsonText(std::string_view(row.hint));
    rows.push_back(std::move(entry));
  }
  return rows;
}

}  // namespace

RunOutcome RunCheck(const CheckJob& job, const RunContext& context) {
  try {
    context.progress.SetPhase("checking");
    RunOutcome outcome;
    outcome.fields["rows"] = Rows(Check(job, context).Run());
    return outcome;
  } catch (...) {
    return OutcomeOf(std::current_exception(), /*cleaned=*/true);
  }
}

}  // namespace pgbackup
