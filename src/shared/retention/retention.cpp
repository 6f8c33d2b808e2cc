#include "shared/retention/retention.h"

#include <algorithm>
#include <cstddef>

#include "shared/floor_div.h"

namespace pgbackup {
namespace {

constexpr int64_t kDaySeconds = 86400;

using Backups = std::span<RetentionBackup>;

bool CompletedLater(const RetentionBackup& a, const RetentionBackup& b) {
  return a.completed_at != b.completed_at ? a.completed_at > b.completed_at : a.id > b.id;
}

// Of this cluster's present database.
bool Counts(const RetentionBackup& backup) {
  return !backup.foreign && !backup.former;
}

// Calls `visit` with each stretch of backups that `same` puts together.
template <typename Same, typename Visit>
void ForEachGroup(Backups backups, Same same, Visit visit) {
  for (size_t begin = 0; begin < backups.size();) {
    size_t end = begin + 1;
    while (end < backups.size() && same(backups[begin], backups[end])) ++end;
    visit(backups.subspan(begin, end - begin));
    begin = end;
  }
}

// The usual size is the median of the sizes of those before; the lower one of two.
int64_t UsualBytes(std::span<const RetentionBackup> before) {
  int64_t sizes[kUsualSizes];  // ordered
  int count = 0;
  for (const RetentionBackup& backup : before) {
    if (!Counts(backup) || backup.bytes < 0) continue;
    if (count == kUsualSizes) break;
    int at = count++;
    for (; at > 0 && sizes[at - 1] > backup.bytes; --at) sizes[at] = sizes[at - 1];
    sizes[at] = backup.bytes;
  }
  return count == 0 ? -1 : sizes[(count - 1) / 2];
}

// What holds whatever the policies say. `family` is ordered by age.
void Protect(Backups family, int64_t now, double min_size_ratio) {
  RetentionBackup* newest = nullptr;
  RetentionBackup* verified = nullptr;
  for (RetentionBackup& backup : family) {
    backup.reason = RetentionReason::kUnneeded;
    backup.usual_bytes = -1;
    if (backup.former) backup.reason = RetentionReason::kFormer;
    if (backup.former && backup.pinned) backup.reason = RetentionReason::kPinned;
    if (backup.foreign) backup.reason = RetentionReason::kForeign;
    if (!Counts(backup) || backup.gone) continue;
    if (newest == nullptr) newest = &backup;
    if (verified == nullptr && backup.verified) verified = &backup;
  }
  if (newest == nullptr) return;
  const size_t at = static_cast<size_t>(newest - family.data());
  const int64_t usual = UsualBytes(family.subspan(at + 1));
  const bool is_suspicious = newest->bytes >= 0 && static_cast<double>(newest->bytes) <
                                                       min_size_ratio * static_cast<double>(usual);
  for (RetentionBackup& backup : family) {
    if (!Counts(backup)) continue;
    if (is_suspicious) backup.reason = RetentionReason::kDoubt;
    if (&backup == verified) backup.reason = RetentionReason::kVerified;
    if (&backup == newest) backup.reason = RetentionReason::kNewest;
    if (!backup.policy->HasRule()) backup.reason = RetentionReason::kNoRule;
    if (backup.in_use) backup.reason = RetentionReason::kInUse;
    if (backup.locked_until > now) backup.reason = RetentionReason::kLocked;
    if (backup.pinned) backup.reason = RetentionReason::kPinned;
  }
  if (is_suspicious) newest->usual_bytes = usual;
}

// Takes the newest backup of each of the last so many periods.
class PeriodRule {
 public:
  explicit PeriodRule(int periods) : left_(periods) {}

  // Periods come in falling order, but for two that alternate while a clock is set back.
  bool Takes(int64_t period) {
    if (left_ == 0 || period == last_ || period == before_last_) return false;
    --left_;
    before_last_ = last_;
    last_ = period;
    return true;
  }

 private:
  int left_;
  int64_t last_ = INT64_MIN;
  int64_t before_last_ = INT64_MIN;
};

// A series is ordered by age. Every rule sees every backup, whoever else keeps it.
void ApplyRules(Backups series, int64_t now, const TimeZone& zone) {
  const RetentionPolicy& policy = *series.front().policy;
  if (!policy.HasRule()) return;
  PeriodRule daily(policy.daily);
  PeriodRule weekly(policy.weekly);
  PeriodRule monthly(policy.monthly);
  PeriodRule yearly(policy.yearly);
  int rank = 0;
  for (RetentionBackup& backup : series) {
    if (!Counts(backup) || backup.gone) continue;
    const CivilTime local = zone.to_local(backup.completed_at, zone.context);
    const int64_t day = FloorDiv(backup.completed_at + local.utc_offset, kDaySeconds);
    RetentionReason wanted = RetentionReason::kUnneeded;
    if (rank < policy.minimum) wanted = RetentionReason::kMinimum;
    if (yearly.Takes(local.year)) wanted = RetentionReason::kYearly;
    if (monthly.Takes(int64_t{local.year} * 12 + local.month)) wanted = RetentionReason::kMonthly;
    if (weekly.Takes(FloorDiv(day + 3, 7))) wanted = RetentionReason::kWeekly;
    if (daily.Takes(day)) wanted = RetentionReason::kDaily;
    if (policy.days > 0 && backup.completed_at > now - policy.days * kDaySeconds)
      wanted = RetentionReason::kDays;
    if (rank < policy.count) wanted = RetentionReason::kCount;
    backup.reason = std::min(backup.reason, wanted);
    ++rank;
  }
}

}  // namespace

void PlanRetention(Backups backups, int64_t now, const TimeZone& zone,
                   double min_size_ratio) noexcept {
  std::sort(backups.begin(), backups.end(), [](const auto& a, const auto& b) {
    return a.family != b.family ? a.family < b.family : CompletedLater(a, b);
  });
  ForEachGroup(
      backups, [](const auto& a, const auto& b) { return a.family == b.family; },
      [&](Backups family) { Protect(family, now, min_size_ratio); });
  std::sort(backups.begin(), backups.end(), [](const auto& a, const auto& b) {
    if (a.family != b.family) return a.family < b.family;
    return a.series != b.series ? a.series < b.series : CompletedLater(a, b);
  });
  ForEachGroup(
      backups,
      [](const auto& a, const auto& b) { return a.family == b.family && a.series == b.series; },
      [&](Backups series) { ApplyRules(series, now, zone); });
}

}  // namespace pgbackup
