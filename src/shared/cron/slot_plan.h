// What becomes of the slots of a schedule: which one runs now, and which are missed.
//
// A slot is a run time of the cron expression. It is due `delay` seconds later (the jitter). Of
// several that have become due, only the last one runs: late, if it is still within the catch-up
// window. All others are missed. Whoever asks keeps a record of each answer, and of each slot but
// one: that is what makes a clock set back re-run nothing.
//
// Used inside the server: no exceptions, no allocation.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "shared/cron/cron.h"

namespace pgbackup {

inline constexpr int64_t kNoSlot = std::numeric_limits<int64_t>::min();

// A run that starts at most so many seconds after it was due is on time: the server looks at its
// clock once a minute when that may have been changed, and is busy now and then.
inline constexpr int64_t kOnTimeSeconds = 90;

// More slots than these are not counted one by one.
inline constexpr int64_t kMostMissedSlots = 100'000;

struct SlotRules {
  int64_t delay = 0;            // seconds, not negative
  int64_t catch_up_window = 0;  // seconds after the due time; 0 catches up nothing
};

struct SlotPlan {
  int64_t due = kNoSlot;  // the slot that runs now
  bool late = false;      // it is caught up
  int64_t missed = 0;     // how many are not run any more; kMostMissedSlots for at least so many
  int64_t first_missed = kNoSlot, last_missed = kNoSlot;
  int64_t next = kNoSlot;  // the next one that is not due yet; kNoSlot for never
};

// The slots after `since`, at `now` (Unix seconds). Up to and including `since` all is settled.
SlotPlan PlanSlots(const CronExpression& cron, const TimeZone& zone, const SlotRules& rules,
                   int64_t since, int64_t now) noexcept;

// How many seconds after its slots a schedule starts: from 0 to `jitter`, always the same for a
// schedule of a cluster.
int64_t JitterDelay(uint64_t system_identifier, std::string_view schedule, int64_t jitter) noexcept;

}  // namespace pgbackup
