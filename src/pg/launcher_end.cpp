#include "pg/launcher_end.h"

#include "pg/running_agents.h"

namespace pgbackup {
namespace {

constexpr int kLongestFarewellMs = 1000;

volatile sig_atomic_t end_requested = false;
volatile sig_atomic_t at_once_now = true;

void OnTerminate(SIGNAL_ARGS) {
  end_requested = true;
  if (at_once_now != 0) {
    die(postgres_signal_arg);
    return;
  }
  const int saved = errno;
  SetLatch(MyLatch);
  errno = saved;
}

}  // namespace

void ListenForEnd() {
  pqsignal(SIGTERM, OnTerminate);
}

void EndAtOnce(bool at_once) {
  at_once_now = at_once;
}

void EndIfRequested() {
  if (end_requested == 0) return;
  const TimestampTz latest = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kLongestFarewellMs);
  ServeAgents();
  while (HasToldEnd()) {
    const long left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), latest);
    if (left <= 0) break;
    // The end of an agent's process sets the latch.
    WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, left, PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
    ServeAgents();
  }
  die(SIGTERM);
  CHECK_FOR_INTERRUPTS();
}

}  // namespace pgbackup
