#include "core/restore/load/analyze.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

#include "core/base/error.h"
#include "core/base/lanes.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {
namespace {

// What takes longest comes first, so that nobody waits for it in the end. A partitioned table
// brings its partitions along, so those are named alone only where it cannot be.
constexpr const char* kLocalTablesSql = R"(
    WITH RECURSIVE partly_foreign AS (
      SELECT inhparent AS table FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
       WHERE relkind = 'f'
      UNION
      SELECT inhparent FROM pg_inherits JOIN partly_foreign ON inhrelid = partly_foreign.table)
    SELECT format('%I.%I', nspname, relname)
      FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE relkind IN ('r', 'p', 'm') AND relpersistence <> 't'
       AND pg_class.oid NOT IN (SELECT partly_foreign.table FROM partly_foreign)
       AND NOT (relispartition AND NOT EXISTS (
             SELECT FROM pg_inherits JOIN partly_foreign ON inhparent = partly_foreign.table
              WHERE inhrelid = pg_class.oid))
     ORDER BY relkind = 'p' DESC, pg_relation_size(pg_class.oid) DESC)";

// The tables that the server would not analyze; used by all lanes.
class RefusedTables {
 public:
  void Add(const std::string& table, const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (++count_ <= kMostNamed) named_.push_back(fmt::format("{} ({})", table, why));
  }

  std::string InWords() const {
    if (named_.empty()) return "";
    const size_t others = count_ - named_.size();
    return fmt::format("tables that could not be analyzed: {}{}", fmt::join(named_, ", "),
                       others == 0 ? "" : fmt::format(" and {} more", others));
  }

 private:
  static constexpr size_t kMostNamed = 5;

  std::mutex mutex_;
  std::vector<std::string> named_;
  size_t count_ = 0;
};

void Analyze(PostgresConnection& connection, const std::string& table, RefusedTables* refused) {
  try {
    connection.Execute("ANALYZE " + table);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kDatabase && error.kind() != ErrorKind::kDenied) throw;
    refused->Add(table, error.message());
  }
}

}  // namespace

std::string AnalyzeLocalTables(const ConnectionSettings& settings, int64_t jobs,
                               const RunContext& context) {
  const QueryResult tables =
      PostgresConnection(settings, context.cancellation).Query(kLocalTablesSql);
  RefusedTables refused;
  std::atomic<int> next{0};
  const auto analyze_some = [&] {
    PostgresConnection connection(settings, context.cancellation);
    for (int i = next++; i < tables.rows(); i = next++)
      Analyze(connection, std::string(tables.Text(i, 0)), &refused);
  };
  const auto lanes =
      static_cast<size_t>(std::max<int64_t>(std::min<int64_t>(tables.rows(), jobs), 1));
  FirstFailure failure(context.cancellation);
  RunLanes(std::vector<std::function<void()>>(lanes, analyze_some), lanes, failure,
           context.cancellation);
  failure.Rethrow();
  return refused.InWords();
}

}  // namespace pgbackup
