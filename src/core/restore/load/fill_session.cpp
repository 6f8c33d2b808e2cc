#include "core/restore/load/fill_session.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgbackup {
namespace {

constexpr int64_t kMaxIndexMemory = 1 << 20;  // kB; sorting gains nothing from more

}  // namespace

int64_t IndexMemory(int64_t maintenance_work_mem, int64_t shared_buffers, int64_t jobs) {
  const int64_t share = shared_buffers / std::max<int64_t>(jobs, 1);
  return std::max(maintenance_work_mem, std::min(share, kMaxIndexMemory));
}

ConnectionSettings FillSettings(const ConnectionSettings& settings, int64_t jobs,
                                const Cancellation& cancellation) {
  ConnectionSettings fill = settings;
  AddServerOption(&fill, "-c synchronous_commit=off");
  PostgresConnection connection(fill, cancellation);
  const QueryResult server = connection.Query(
      "SELECT pg_size_bytes(current_setting('maintenance_work_mem')) / 1024, "
      "pg_size_bytes(current_setting('shared_buffers')) / 1024");
  const int64_t memory = IndexMemory(server.Integer(0, 0), server.Integer(0, 1), jobs);
  if (memory > server.Integer(0, 0))
    AddServerOption(&fill, fmt::format("-c maintenance_work_mem={}kB", memory));
  AddTimeoutOptions(&fill, connection.server_version());
  return fill;
}

void PrepareFillSession(PostgresConnection& connection) {
  for (const char* setting : {"lock_timeout = 0", "check_function_bodies = off",
                              "xmloption = content", "client_min_messages = warning"})
    connection.Execute(fmt::format("SET {}", setting));
}

}  // namespace pgbackup
