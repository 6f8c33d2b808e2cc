#include "shared/cron/slot_plan.h"

namespace pgbackup {
namespace {

// Bits of a hash spread evenly (the finalizer of SplitMix64; Steele, Lea and Flood, 2014).
uint64_t Mixed(uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
  return bits ^ (bits >> 31);
}

}  // namespace

SlotPlan PlanSlots(const CronExpression& cron, const TimeZone& zone, const SlotRules& rules,
                   int64_t since, int64_t now) noexcept {
  SlotPlan plan;
  const int64_t at = now - rules.delay;  // slots up to this moment are due
  plan.next = NextRun(cron, at > since ? at : since, zone);
  const int64_t last = at > since ? PreviousRun(cron, at, zone) : kNoSlot;
  if (last == kNoSlot || last <= since) return plan;

  const int64_t lateness = at - last;
  if (lateness <= kOnTimeSeconds || lateness <= rules.catch_up_window) {
    plan.due = last;
    plan.late = lateness > kOnTimeSeconds;
  }
  for (int64_t slot = NextRun(cron, since, zone); slot != kNoSlot && slot <= last;
       slot = NextRun(cron, slot, zone)) {
    if (slot == plan.due || plan.missed == kMostMissedSlots) break;
    if (plan.missed++ == 0) plan.first_missed = slot;
    plan.last_missed = slot;
  }
  if (plan.missed == kMostMissedSlots)
    plan.last_missed = plan.due == kNoSlot ? last : PreviousRun(cron, last - 1, zone);
  return plan;
}

int64_t JitterDelay(uint64_t system_identifier, std::string_view schedule,
                    int64_t jitter) noexcept {
  if (jitter <= 0) return 0;
  uint64_t hash = system_identifier;
  for (const char c : schedule) hash = Mixed(hash + static_cast<unsigned char>(c) + 1);
  return static_cast<int64_t>(Mixed(hash) % (static_cast<uint64_t>(jitter) + 1));
}

}  // namespace pgbackup
