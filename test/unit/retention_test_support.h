// A second way to say what retention keeps: slowly, rule by rule, for comparison.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "shared/retention/retention.h"

namespace pgbackup {

namespace naive_retention {

inline bool Newer(const RetentionBackup& a, const RetentionBackup& b) {
  return std::pair(a.completed_at, a.id) > std::pair(b.completed_at, b.id);
}

// The period of a backup as a text; `pattern` is strftime's.
inline std::string Period(const RetentionBackup& backup, const char* pattern,
                          const TimeZone& zone) {
  const time_t local =
      backup.completed_at + zone.to_local(backup.completed_at, zone.context).utc_offset;
  tm broken_down = {};
  gmtime_r(&local, &broken_down);
  char text[32];
  return {text, std::strftime(text, sizeof text, pattern, &broken_down)};
}

// Whether a backup is the newest of one of the last `periods` periods among `series`.
inline bool IsLastOfPeriod(const RetentionBackup& backup, std::vector<RetentionBackup> series,
                           int periods, const char* pattern, const TimeZone& zone) {
  std::sort(series.begin(), series.end(), Newer);
  std::set<std::string> seen;
  for (const RetentionBackup& other : series) {
    if (static_cast<int>(seen.size()) == periods) return false;
    if (seen.insert(Period(other, pattern, zone)).second && other.id == backup.id) return true;
  }
  return false;
}

inline int64_t Median(std::vector<RetentionBackup> before) {
  std::sort(before.begin(), before.end(), Newer);
  std::vector<int64_t> sizes;
  for (const RetentionBackup& backup : before)
    if (backup.bytes >= 0 && sizes.size() < kUsualSizes) sizes.push_back(backup.bytes);
  if (sizes.empty()) return -1;
  std::sort(sizes.begin(), sizes.end());
  return sizes[(sizes.size() - 1) / 2];
}

}  // namespace naive_retention

// The reason of every backup, by its id.
inline std::map<int64_t, RetentionReason> NaivePlan(const std::vector<RetentionBackup>& backups,
                                                    int64_t now, const TimeZone& zone,
                                                    double min_size_ratio) {
  using namespace naive_retention;
  std::map<int64_t, RetentionReason> reasons;
  for (const RetentionBackup& backup : backups) {
    std::vector<RetentionBackup> family, present, series, verified, newer_in_series;
    for (const RetentionBackup& other : backups) {
      if (other.foreign || other.former || other.family != backup.family) continue;
      family.push_back(other);
      if (other.gone) continue;
      present.push_back(other);
      if (other.verified) verified.push_back(other);
      if (other.series != backup.series) continue;
      series.push_back(other);
      if (Newer(other, backup)) newer_in_series.push_back(other);
    }
    const auto newest = [](const std::vector<RetentionBackup>& of) {
      return of.empty() ? -1 : std::min_element(of.begin(), of.end(), Newer)->id;
    };
    bool doubt = false;
    for (const RetentionBackup& last : present) {
      if (last.id != newest(present)) continue;
      std::erase_if(family, [&](const auto& other) { return !Newer(last, other); });
      doubt = last.bytes >= 0 && static_cast<double>(last.bytes) <
                                     min_size_ratio * static_cast<double>(Median(family));
    }
    const RetentionPolicy& p = *backup.policy;
    const auto rank = static_cast<int>(newer_in_series.size());
    const auto is_last = [&](int periods, const char* pattern) {
      return IsLastOfPeriod(backup, series, periods, pattern, zone);
    };
    const std::pair<RetentionReason, bool> rules[] = {
        {RetentionReason::kForeign, backup.foreign},
        {RetentionReason::kPinned, backup.pinned},
        {RetentionReason::kFormer, backup.former},
        {RetentionReason::kLocked, backup.locked_until > now},
        {RetentionReason::kInUse, backup.in_use},
        {RetentionReason::kNoRule,
         p.count + p.days + p.daily + p.weekly + p.monthly + p.yearly == 0},
        {RetentionReason::kNewest, backup.id == newest(present)},
        {RetentionReason::kVerified, backup.id == newest(verified)},
        {RetentionReason::kCount, rank < p.count},
        {RetentionReason::kDays, p.days > 0 && now - backup.completed_at < int64_t{p.days} * 86400},
        {RetentionReason::kDaily, is_last(p.daily, "%Y-%m-%d")},
        {RetentionReason::kWeekly, is_last(p.weekly, "%G-%V")},
        {RetentionReason::kMonthly, is_last(p.monthly, "%Y-%m")},
        {RetentionReason::kYearly, is_last(p.yearly, "%Y")},
        {RetentionReason::kMinimum, rank < p.minimum},
        {RetentionReason::kDoubt, doubt},
        {RetentionReason::kUnneeded, true}};
    reasons[backup.id] = std::find_if(std::begin(rules), std::end(rules), [](const auto& r) {
                           return r.second;
                         })->first;
  }
  return reasons;
}

}  // namespace pgbackup
