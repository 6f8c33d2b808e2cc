#include "core/postgres/connection_watch.h"

#include <poll.h>

namespace pgbackup {

ConnectionWatch::ConnectionWatch(PostgresConnection& connection,
                                 std::function<void(const std::string&)> lost)
    : connection_(connection), lost_(std::move(lost)), thread_([this] { Run(); }) {}

ConnectionWatch::~ConnectionWatch() {
  stop_.Cancel();
  thread_.join();
}

void ConnectionWatch::Run() {
  std::string why;
  while (!stop_.IsCancelled()) {
    pollfd waiting[] = {{connection_.socket(), POLLIN, 0}, {stop_.fd(), POLLIN, 0}};
    poll(waiting, 2, -1);
    if (waiting[0].revents != 0 && !connection_.ConsumeAndCheck(&why)) {
      lost_(why);
      return;
    }
  }
}

}  // namespace pgbackup
