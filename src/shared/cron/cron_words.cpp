#include "shared/cron/cron_words.h"

#include <bit>

namespace pgbackup {
namespace {

constexpr std::string_view kWeekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                          "Thursday", "Friday", "Saturday"};
constexpr std::string_view kMonths[] = {"",        "January",  "February", "March",  "April",
                                        "May",     "June",     "July",     "August", "September",
                                        "October", "November", "December"};
constexpr uint64_t kEveryMinute = (uint64_t{1} << 60) - 1;
constexpr uint64_t kEveryHour = (uint64_t{1} << 24) - 1;
constexpr uint64_t kEveryDay = ((uint64_t{1} << 31) - 1) << 1;
constexpr uint64_t kEveryMonth = ((uint64_t{1} << 12) - 1) << 1;
constexpr uint64_t kEveryWeekday = (uint64_t{1} << 7) - 1;
constexpr int kMostTimes = 6;  // that are told one by one

bool Has(uint64_t bits, int value) {
  return (bits >> value & 1) != 0;
}

class WordWriter {
 public:
  explicit WordWriter(std::span<char> out) : out_(out) {}

  WordWriter& Add(std::string_view text) {
    for (const char c : text)
      if (length_ + 1 < out_.size()) out_[length_++] = c;
    return *this;
  }
  WordWriter& AddNumber(int value, int digits = 1) {
    if (value >= 10 || digits > 1) AddNumber(value / 10, digits - 1);
    const char digit = static_cast<char>('0' + value % 10);
    return Add({&digit, 1});
  }
  WordWriter& AddTime(int hour, int minute) {
    return AddNumber(hour, 2).Add(":").AddNumber(minute, 2);
  }

  size_t Finish() {
    if (!out_.empty()) out_[length_] = '\0';
    return length_;
  }

 private:
  std::span<char> out_;
  size_t length_ = 0;
};

// What stands before item `i` of `count`.
std::string_view Separator(int i, int count) {
  return i == 0 ? "" : i + 1 == count ? " and " : ", ";
}

// The set bits as "1, 4-7 and 9"; `names` replaces numbers where it is not empty.
void AddValues(WordWriter* words, uint64_t bits, std::span<const std::string_view> names) {
  struct Range {
    int first, last;
  } ranges[32];
  int count = 0;
  for (int value = 0; value < 64; ++value) {
    if (!Has(bits, value)) continue;
    // Two neighbours are told one by one.
    const bool continues = count > 0 && ranges[count - 1].last == value - 1 &&
                           (ranges[count - 1].first < value - 1 || Has(bits, value + 1));
    if (continues)
      ranges[count - 1].last = value;
    else if (count < 32)
      ranges[count++] = {value, value};
  }
  const auto add = [&](int value) {
    names.empty() ? words->AddNumber(value) : words->Add(names[static_cast<size_t>(value)]);
  };
  for (int i = 0; i < count; ++i) {
    words->Add(Separator(i, count));
    add(ranges[i].first);
    if (ranges[i].last == ranges[i].first) continue;
    words->Add(names.empty() ? "-" : " to ");
    add(ranges[i].last);
  }
}

// The distance of values that begin at 0 and divide `size` evenly; 0 for others.
int EvenStep(uint64_t bits, int size) {
  const int count = std::popcount(bits);
  if (count < 2 || size % count != 0) return 0;
  const int step = size / count;
  for (int value = 0; value < size; ++value)
    if (Has(bits, value) != (value % step == 0)) return 0;
  return step;
}

void AddEach(WordWriter* words, const CronExpression& cron, int count) {
  words->Add("at ");
  int i = 0;
  for (int hour = 0; hour < 24; ++hour)
    for (int minute = 0; minute < 60; ++minute)
      if (Has(cron.hours, hour) && Has(cron.minutes, minute))
        words->Add(Separator(i++, count)).AddTime(hour, minute);
}

void AddMinutes(WordWriter* words, const CronExpression& cron) {
  const int step = EvenStep(cron.minutes, 60);
  if (cron.minutes == kEveryMinute) {
    words->Add("every minute");
  } else if (step != 0) {
    words->Add("every ").AddNumber(step).Add(" minutes");
  } else {
    words->Add(std::popcount(cron.minutes) == 1 ? "at minute " : "at minutes ");
    AddValues(words, cron.minutes, {});
  }
}

void AddTimeOfDay(WordWriter* words, const CronExpression& cron) {
  const int times = std::popcount(cron.minutes) * std::popcount(cron.hours);
  if (times <= kMostTimes) return AddEach(words, cron, times);
  if (cron.hours == kEveryHour && cron.minutes == 1) {
    words->Add("every hour");
    return;
  }
  AddMinutes(words, cron);
  if (cron.hours == kEveryHour) {
    if (cron.minutes != kEveryMinute && EvenStep(cron.minutes, 60) == 0)
      words->Add(" of every hour");
    return;
  }
  words->Add(std::popcount(cron.hours) == 1 ? " of hour " : " of hours ");
  AddValues(words, cron.hours, {});
}

void AddDaysOfMonth(WordWriter* words, const CronExpression& cron) {
  const bool has_days = cron.days_of_month != 0;
  if (has_days) {
    words->Add(std::popcount(cron.days_of_month) == 1 ? "on day " : "on days ");
    AddValues(words, cron.days_of_month, {});
  }
  if (cron.last_day_of_month) words->Add(has_days ? " and the last day" : "on the last day");
  words->Add(" of the month");
}

void AddDays(WordWriter* words, const CronExpression& cron) {
  const bool every_date = cron.days_of_month == kEveryDay;
  const bool every_weekday = cron.days_of_week == kEveryWeekday;
  const bool either = !cron.any_day_of_month && !cron.any_day_of_week;
  if (either ? every_date || every_weekday : every_date && every_weekday) {
    if (std::popcount(cron.minutes) * std::popcount(cron.hours) <= kMostTimes)
      words->Add(" every day");
    return;
  }
  words->Add(" ");
  if (!every_date) AddDaysOfMonth(words, cron);
  if (every_weekday) return;
  if (!every_date) words->Add(either ? " or " : ", if it is ");
  if (every_date || either) words->Add("on ");
  AddValues(words, cron.days_of_week, kWeekdays);
}

}  // namespace

size_t CronInWords(const CronExpression& cron, std::span<char> out) noexcept {
  WordWriter words(out);
  AddTimeOfDay(&words, cron);
  AddDays(&words, cron);
  if (cron.months != kEveryMonth) {
    words.Add(" in ");
    AddValues(&words, cron.months, kMonths);
  }
  return words.Finish();
}

}  // namespace pgbackup
