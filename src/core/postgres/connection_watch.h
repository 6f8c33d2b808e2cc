// Watches a connection that nobody uses, and says at once when it is lost.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "core/base/cancellation.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {

class ConnectionWatch {
 public:
  // Calls `lost` (from its own thread, at most once) with the reason. The connection is the
  // watch's alone until the watch is gone.
  ConnectionWatch(PostgresConnection& connection, std::function<void(const std::string&)> lost);
  ~ConnectionWatch();
  ConnectionWatch(const ConnectionWatch&) = delete;
  ConnectionWatch& operator=(const ConnectionWatch&) = delete;

 private:
  void Run();

  PostgresConnection& connection_;
  std::function<void(const std::string&)> lost_;
  Cancellation stop_;
  std::thread thread_;
};

}  // namespace pgbackup
