// How long a copy may hold a backup up before it is given up.
//
// A copy holds the backup up while the backup waits for it and it alone: for room in a full queue,
// or for its end. It is given up when it has not moved for `in_a_row`, or when it has held the
// backup up for longer in all than `in_a_row` and `share` of the time since the backup began. So a
// copy that is merely slower than the primary costs a backup a fourth of its time at most; what it
// has not stored by then is copied from the primary later.
//
// Not thread-safe: its owner has a lock.
#pragma once

#include <algorithm>
#include <chrono>

#include "core/base/environment.h"

namespace pgbackup {

struct Patience {
  std::chrono::milliseconds in_a_row{30'000};
  double share = 0.25;
};

class HoldUpClock {
 public:
  HoldUpClock(const Patience& patience, SteadyTime now)
      : patience_(patience), began_(now), moved_(now) {}

  // Somebody begins, or ends, to wait. Several may wait at the same time.
  void Begin(SteadyTime now) {
    if (waiting_++ == 0) since_ = now;
  }
  void End(SteadyTime now) {
    if (--waiting_ == 0) total_ += now - since_;
  }

  // The copy has got something done.
  void Moved(SteadyTime now) { moved_ = now; }

  // Whether it is time to give up; asked by somebody who waits.
  bool IsOver(SteadyTime now) const {
    const auto held_up = total_ + (now - since_);
    const auto most = std::chrono::duration<double>(patience_.in_a_row) +
                      patience_.share * std::chrono::duration<double>(now - began_);
    return now - std::max(moved_, since_) > patience_.in_a_row || held_up > most;
  }

 private:
  const Patience patience_;
  const SteadyTime began_;
  SteadyTime moved_;
  SteadyTime since_{};  // while waiting_ > 0
  SteadyTime::duration total_{};
  int waiting_ = 0;
};

}  // namespace pgbackup
