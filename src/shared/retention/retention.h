// Which backups retention keeps: a pure function of the backups, their policies and the time.
//
// Backups are in families (those of one database, to the same extent) and within a family in series
// (those of one schedule, and those that no schedule made). Rules count within a series, newest
// first; what protects the last good backup looks at the whole family. Backups of another cluster,
// and of a former database of the name, stay and do not count. Deleting only what is not needed and
// asking again gives the same answer, so it does not matter how often it is applied.
//
// Used inside the server: no exceptions, no allocation.
#pragma once

#include <cstdint>
#include <span>

#include "shared/cron/cron.h"

namespace pgbackup {

// How many backups of a series are kept. 0 switches a rule off; a backup is kept when one rule
// wants it, and when there is no rule at all.
struct RetentionPolicy {
  int count = 0;                                       // the last so many
  int days = 0;                                        // those completed in the last so many days
  int daily = 0, weekly = 0, monthly = 0, yearly = 0;  // the last one of so many days, weeks, …
  int minimum = 0;  // not a rule: when there is one, so many stay whatever their age

  constexpr bool HasRule() const noexcept {
    return count > 0 || days > 0 || daily > 0 || weekly > 0 || monthly > 0 || yearly > 0;
  }
};

// Why a backup stays, the first reason that holds in this order; or that there is none.
enum class RetentionReason {
  kForeign,   // another cluster made it
  kPinned,    //
  kFormer,    // the database had its name before the present one
  kLocked,    // the storage would refuse
  kInUse,     // it is being restored or copied
  kNoRule,    // its policy has no rule
  kNewest,    // the newest of its family
  kVerified,  // the newest of its family that was proved good
  kCount,
  kDays,
  kDaily,
  kWeekly,
  kMonthly,
  kYearly,
  kMinimum,
  kDoubt,    // the newest of its family is suspiciously small
  kUnneeded  // it goes
};

struct RetentionBackup {
  int64_t id = 0;
  int64_t family = 0, series = 0;           // numbers the caller has given them
  const RetentionPolicy* policy = nullptr;  // of the series
  int64_t completed_at = 0;                 // Unix seconds
  int64_t bytes = -1;                       // that were dumped; negative when unknown
  int64_t locked_until = 0;                 // Unix seconds
  bool foreign = false, pinned = false, in_use = false, verified = false;
  bool former = false;  // of a former database of the name
  bool gone = false;    // deleted before; only its size still counts, and it gets no reason

  // The answer.
  RetentionReason reason = RetentionReason::kNoRule;
  int64_t usual_bytes = -1;  // the newest of its family, if suspicious: what would be usual
};

// How many earlier backups of a family tell what size is usual: their median.
inline constexpr int kUsualSizes = 10;

// Fills in the answers, and puts the backups into the order of family, series and age, newest
// first. Periods are those of `zone`, weeks begin on Monday. The newest of a family with fewer than
// `min_size_ratio` times the usual bytes is suspicious: then nothing of the family goes. 0 trusts
// any size.
void PlanRetention(std::span<RetentionBackup> backups, int64_t now, const TimeZone& zone,
                   double min_size_ratio) noexcept;

}  // namespace pgbackup
