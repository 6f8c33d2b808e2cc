#include "shared/cron/cron.h"

#include <gtest/gtest.h>

#include <ctime>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "shared/cron/cron_words.h"
#include "zone_test_support.h"

namespace pgbackup {
namespace {

// The next `count` runs after a moment given in UTC, as the zone's clock shows them.
std::vector<std::string> Runs(std::string_view text, const char* after_utc, int count,
                              const TimeZone& zone) {
  const CronExpression cron = ParsedCron(text);
  std::vector<std::string> runs;
  int64_t t = Utc(after_utc);
  for (int i = 0; i < count && t != kNever; ++i) {
    t = NextRun(cron, t, zone);
    runs.push_back(Show(t, zone));
  }
  return runs;
}

using Texts = std::vector<std::string>;

// --- parsing --------------------------------------------------------------------------------

uint64_t Bits(std::initializer_list<int> values) {
  uint64_t bits = 0;
  for (const int value : values) bits |= uint64_t{1} << value;
  return bits;
}

TEST(CronParse, ReadsNumbersRangesStepsAndLists) {
  const CronExpression cron = ParsedCron("0,15,30-32 */6 1-31/10 2-4 1-5");
  EXPECT_EQ(cron.minutes, Bits({0, 15, 30, 31, 32}));
  EXPECT_EQ(cron.hours, Bits({0, 6, 12, 18}));
  EXPECT_EQ(cron.days_of_month, Bits({1, 11, 21, 31}));
  EXPECT_EQ(cron.months, Bits({2, 3, 4}));
  EXPECT_EQ(cron.days_of_week, Bits({1, 2, 3, 4, 5}));
  EXPECT_FALSE(cron.any_day_of_month);
  EXPECT_FALSE(cron.any_day_of_week);
  EXPECT_FALSE(cron.last_day_of_month);
  EXPECT_TRUE(cron.follows_real_time);
}

TEST(CronParse, AnAsteriskStandsForEveryValue) {
  const CronExpression cron = ParsedCron("* * * * *");
  EXPECT_EQ(cron.minutes, (uint64_t{1} << 60) - 1);
  EXPECT_EQ(cron.hours, (uint64_t{1} << 24) - 1);
  EXPECT_EQ(cron.days_of_month, ((uint64_t{1} << 31) - 1) << 1);
  EXPECT_EQ(cron.months, ((uint64_t{1} << 12) - 1) << 1);
  EXPECT_EQ(cron.days_of_week, (uint64_t{1} << 7) - 1);
  EXPECT_TRUE(cron.any_day_of_month);
  EXPECT_TRUE(cron.any_day_of_week);
}

TEST(CronParse, KnowsNamesInAnyCase) {
  const CronExpression cron = ParsedCron("0 0 1 jan,MAR-May Mon,wEd");
  EXPECT_EQ(cron.months, Bits({1, 3, 4, 5}));
  EXPECT_EQ(cron.days_of_week, Bits({1, 3}));
}

TEST(CronParse, ZeroAndSevenAreSunday) {
  EXPECT_EQ(ParsedCron("0 0 * * 0").days_of_week, Bits({0}));
  EXPECT_EQ(ParsedCron("0 0 * * 7").days_of_week, Bits({0}));
  EXPECT_EQ(ParsedCron("0 0 * * sun").days_of_week, Bits({0}));
  EXPECT_EQ(ParsedCron("0 0 * * 5-7").days_of_week, Bits({5, 6, 0}));
  EXPECT_EQ(ParsedCron("0 0 * * fri-sun").days_of_week, Bits({5, 6, 0}));
  EXPECT_EQ(ParsedCron("0 0 * * sun-tue").days_of_week, Bits({0, 1, 2}));
  EXPECT_EQ(ParsedCron("0 0 * * 0-7").days_of_week, Bits({0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(ParsedCron("0 0 * * */2").days_of_week, Bits({0, 2, 4, 6}));
}

TEST(CronParse, KnowsTheLastDayOfTheMonthInItsTwoSpellings) {
  for (const char* text : {"0 0 L * *", "0 0 l * *", "0 0 $ * *", "0 0 15,L * *"})
    EXPECT_TRUE(ParsedCron(text).last_day_of_month) << text;
  EXPECT_EQ(ParsedCron("0 0 L * *").days_of_month, 0U);
  EXPECT_EQ(ParsedCron("0 0 15,L * *").days_of_month, Bits({15}));
}

TEST(CronParse, KnowsTheNicknames) {
  struct Case {
    const char *nickname, *meaning;
  };
  for (const Case& c : std::initializer_list<Case>{{"@yearly", "0 0 1 1 *"},
                                                   {"@annually", "0 0 1 1 *"},
                                                   {"@monthly", "0 0 1 * *"},
                                                   {"@weekly", "0 0 * * 0"},
                                                   {"@daily", "0 0 * * *"},
                                                   {"@midnight", "0 0 * * *"},
                                                   {"@hourly", "0 * * * *"},
                                                   {"  @Daily\t", "0 0 * * *"}}) {
    const CronExpression a = ParsedCron(c.nickname);
    const CronExpression b = ParsedCron(c.meaning);
    EXPECT_EQ(a.minutes, b.minutes) << c.nickname;
    EXPECT_EQ(a.hours, b.hours) << c.nickname;
    EXPECT_EQ(a.days_of_month, b.days_of_month) << c.nickname;
    EXPECT_EQ(a.months, b.months) << c.nickname;
    EXPECT_EQ(a.days_of_week, b.days_of_week) << c.nickname;
    EXPECT_EQ(a.follows_real_time, b.follows_real_time) << c.nickname;
  }
}

TEST(CronParse, AllowsBlanksAroundFieldsAndLeadingZeros) {
  EXPECT_EQ(ParsedCron("  05\t 02  * *   * ").minutes, Bits({5}));
  EXPECT_EQ(ParsedCron("005 2 * * *").minutes, Bits({5}));
}

TEST(CronParse, OnlyAnAsteriskInMinuteOrHourFollowsRealTime) {
  EXPECT_FALSE(ParsedCron("0 2 * * *").follows_real_time);
  EXPECT_FALSE(ParsedCron("0-59 0-23 * * *").follows_real_time);
  EXPECT_TRUE(ParsedCron("* 2 * * *").follows_real_time);
  EXPECT_TRUE(ParsedCron("*/5 2 * * *").follows_real_time);
  EXPECT_TRUE(ParsedCron("0 */2 * * *").follows_real_time);
}

TEST(CronParse, SaysWhatIsWrongAndWhere) {
  struct Case {
    std::string_view text;
    const char* field;  // nullptr: the whole
    int position;
    const char* message;  // a part of it
  };
  using namespace std::string_view_literals;
  const Case cases[] = {
      {"", nullptr, 0, "empty"},
      {"   ", nullptr, 3, "empty"},
      {"0 2 * *", nullptr, 7, "too few fields"},
      {"0 2 * * * ", "", 0, ""},  // good: the last blank is nothing
      {"0 0 2 * * *", nullptr, 10, "too many fields"},
      {"0 2 * * * pg_dump", nullptr, 10, "too many fields"},
      {"60 * * * *", "minute", 0, "minute is out of range 0-59"},
      {"-1 * * * *", "minute", 0, "unexpected character"},
      {"+1 * * * *", "minute", 0, "unexpected character"},
      {"0 24 * * *", "hour", 2, "hour is out of range 0-23"},
      {"0 0 0 * *", "day of month", 4, "out of range 1-31"},
      {"0 0 32 * *", "day of month", 4, "out of range 1-31"},
      {"0 0 1 13 *", "month", 6, "out of range 1-12"},
      {"0 0 1 0 *", "month", 6, "out of range 1-12"},
      {"0 0 * * 8", "day of week", 8, "out of range 0-7"},
      {"0 0 * * 1-8", "day of week", 10, "out of range 0-7"},
      {"99999999999999999999 * * * *", "minute", 0, "out of range"},
      {"0 17-9 * * *", "hour", 2, "range runs backwards"},
      {"0 0 * dec-jan *", "month", 6, "range runs backwards"},
      {"1, * * * *", "minute", 2, "value is missing"},
      {",1 * * * *", "minute", 0, "unexpected character"},
      {"1,,2 * * * *", "minute", 2, "unexpected character"},
      {"1- * * * *", "minute", 2, "value is missing"},
      {"1-5-9 * * * *", "minute", 3, "unexpected character"},
      {"*5 * * * *", "minute", 1, "unexpected character"},
      {"** * * * *", "minute", 1, "unexpected character"},
      {"*-5 * * * *", "minute", 1, "unexpected character"},
      {"*/0 * * * *", "minute", 2, "step of minute is out of range 1-59"},
      {"*/90 * * * *", "minute", 2, "step of minute is out of range 1-59"},
      {"*/ * * * *", "minute", 2, "step is missing"},
      {"*/x * * * *", "minute", 2, "step is missing"},
      {"*/5/5 * * * *", "minute", 3, "unexpected character"},
      {"5/10 * * * *", "minute", 1, "a step needs a range"},
      {"0 */24 * * *", "hour", 4, "step of hour is out of range 1-23"},
      {"5.5 * * * *", "minute", 1, "unexpected character"},
      {"mon * * * *", "minute", 0, "unexpected character"},
      {"0 0 * mon *", "month", 6, "unknown name"},
      {"0 0 * january *", "month", 6, "unknown name"},
      {"0 0 * * mo", "day of week", 8, "unknown name"},
      {"0 0 * * mon2", "day of week", 11, "unexpected character"},
      {"0 0 * * L", "day of week", 8, "unknown name"},
      {"0 L * * *", "hour", 2, "unexpected character"},
      {"0 0 L-2 * *", "day of month", 5, "unexpected character"},
      {"0 0 LW * *", "day of month", 5, "unexpected character"},
      {"0 0 1-L * *", "day of month", 6, "unexpected character"},
      {"0 0 ? * *", "day of month", 4, "unexpected character"},
      {"0 0 * * 1#2", "day of week", 9, "unexpected character"},
      {"0\n2 * * *", "minute", 1, "unexpected character"},
      {"0 2 * * *\n", "day of week", 9, "unexpected character"},
      {"0 2 * * *\0x"sv, "day of week", 9, "unexpected character"},
      {"0 0 30 2 *", "day of month", 4, "does not exist"},
      {"0 0 31 4,6,9,11 *", "day of month", 4, "does not exist"},
      {"0 0 30-31 2 */2", "day of month", 4, "does not exist"},
      {"@reboot", nullptr, 0, "unknown nickname"},
      {"@", nullptr, 0, "unknown nickname"},
      {"@dailyy", nullptr, 0, "unknown nickname"},
      {" @daily 5", nullptr, 8, "nothing may follow"},
  };
  for (const Case& c : cases) {
    CronExpression cron;
    cron.minutes = 42;
    CronError error;
    const bool good = ParseCron(c.text, &cron, &error);
    if (*c.message == '\0') {
      EXPECT_TRUE(good) << c.text;
      continue;
    }
    ASSERT_FALSE(good) << c.text;
    EXPECT_EQ(cron.minutes, 42U) << c.text;
    EXPECT_NE(std::string(error.message).find(c.message), std::string::npos)
        << c.text << ": " << error.message;
    EXPECT_STREQ(error.field, c.field) << c.text;
    EXPECT_EQ(error.position, c.position) << c.text;
  }
}

TEST(CronParse, AcceptsDatesThatComeSeldom) {
  for (const char* text : {"0 0 29 2 *", "0 0 31 1,2 *", "0 0 30 2 1", "0 0 L 2 *", "0 0 */31 2 *"})
    ParsedCron(text);
}

// --- the next and the previous run ----------------------------------------------------------

TEST(CronNext, FindsTheRunsOfOrdinaryExpressions) {
  const Zone utc("UTC");
  struct Case {
    const char *text, *after;
    Texts runs;
  };
  const Case cases[] = {
      {"* * * * *", "2026-01-01 00:00:00", {"2026-01-01 00:01:00 +0000"}},
      {"* * * * *", "2026-01-01 00:00:59", {"2026-01-01 00:01:00 +0000"}},
      {"* * * * *", "2025-12-31 23:59:59", {"2026-01-01 00:00:00 +0000"}},
      {"0 2 * * *",
       "2026-01-01 01:59:59",
       {"2026-01-01 02:00:00 +0000", "2026-01-02 02:00:00 +0000"}},
      {"0 2 * * *", "2026-01-01 02:00:00", {"2026-01-02 02:00:00 +0000"}},
      {"*/15 8-9 * * *",
       "2026-01-01 09:30:00",
       {"2026-01-01 09:45:00 +0000", "2026-01-02 08:00:00 +0000"}},
      {"30 3 1 */3 *",
       "2026-01-15 00:00:00",
       {"2026-04-01 03:30:00 +0000", "2026-07-01 03:30:00 +0000"}},
      {"0 0 L * *",
       "2026-01-31 00:00:00",
       {"2026-02-28 00:00:00 +0000", "2026-03-31 00:00:00 +0000", "2026-04-30 00:00:00 +0000"}},
      {"0 0 L 2 *", "2027-03-01 00:00:00", {"2028-02-29 00:00:00 +0000"}},
      {"0 0 31 * *",
       "2026-01-31 00:00:00",
       {"2026-03-31 00:00:00 +0000", "2026-05-31 00:00:00 +0000"}},
      {"0 0 29 2 *", "2096-03-01 00:00:00", {"2104-02-29 00:00:00 +0000"}},
      // the date or the weekday: both are given
      {"0 0 13 * 5",
       "2026-02-01 00:00:00",
       {"2026-02-06 00:00:00 +0000", "2026-02-13 00:00:00 +0000", "2026-02-20 00:00:00 +0000"}},
      {"0 0 1 * 0",
       "2026-05-25 00:00:00",
       {"2026-05-31 00:00:00 +0000", "2026-06-01 00:00:00 +0000"}},
      {"0 0 30 2 1", "2026-02-01 00:00:00", {"2026-02-02 00:00:00 +0000"}},
      // the date and the weekday: one of them starts with an asterisk
      {"0 0 */2 * 1",
       "2026-02-01 00:00:00",
       {"2026-02-09 00:00:00 +0000", "2026-02-23 00:00:00 +0000"}},
      {"0 0 1-7 * */7", "2026-02-02 00:00:00", {"2026-03-01 00:00:00 +0000"}},
      {"@weekly", "2026-02-02 00:00:00", {"2026-02-08 00:00:00 +0000"}},
      {"@yearly", "2026-01-01 00:00:00", {"2027-01-01 00:00:00 +0000"}},
      {"*/10 * 29 2 *", "2097-01-01 00:00:00", {"2104-02-29 00:00:00 +0000"}},
      {"0 0 * * *", "1969-12-31 12:00:00", {"1970-01-01 00:00:00 +0000"}},
      {"0 0 * * *", "1901-02-28 12:00:00", {"1901-03-01 00:00:00 +0000"}},
  };
  for (const Case& c : cases)
    EXPECT_EQ(Runs(c.text, c.after, static_cast<int>(c.runs.size()), utc), c.runs)
        << c.text << " after " << c.after;
}

TEST(CronPrevious, FindsTheLastRunUpToAMoment) {
  const Zone utc("UTC");
  struct Case {
    const char *text, *at, *run;
  };
  const Case cases[] = {
      {"* * * * *", "2026-01-01 00:00:59", "2026-01-01 00:00:00 +0000"},
      {"0 2 * * *", "2026-01-01 02:00:00", "2026-01-01 02:00:00 +0000"},
      {"0 2 * * *", "2026-01-01 01:59:59", "2025-12-31 02:00:00 +0000"},
      {"*/15 8-9 * * *", "2026-01-01 07:00:00", "2025-12-31 09:45:00 +0000"},
      {"0 0 L * *", "2028-03-15 00:00:00", "2028-02-29 00:00:00 +0000"},
      {"0 0 29 2 *", "2104-02-28 00:00:00", "2096-02-29 00:00:00 +0000"},
      {"*/10 * 29 2 *", "2104-02-28 00:00:00", "2096-02-29 23:50:00 +0000"},
      {"0 0 13 * 5", "2026-02-12 00:00:00", "2026-02-06 00:00:00 +0000"},
      {"0 0 1 1 *", "1970-01-01 00:00:00", "1970-01-01 00:00:00 +0000"},
      {"0 0 1 1 *", "1969-12-31 00:00:00", "1969-01-01 00:00:00 +0000"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(Show(PreviousRun(ParsedCron(c.text), Utc(c.at), utc), utc), c.run)
        << c.text << " at " << c.at;
}

TEST(CronNext, ReportsThatNothingComesWithinNineYears) {
  const Zone utc("UTC");
  // 29 February on a Sunday: 2032, then 2060.
  const CronExpression cron = ParsedCron("0 0 29 2 */7");
  EXPECT_EQ(Show(NextRun(cron, Utc("2026-01-01 00:00:00"), utc), utc), "2032-02-29 00:00:00 +0000");
  EXPECT_EQ(NextRun(cron, Utc("2033-01-01 00:00:00"), utc), kNever);
  EXPECT_EQ(PreviousRun(cron, Utc("2050-01-01 00:00:00"), utc), kNever);
  const CronExpression wild = ParsedCron("*/5 * 29 2 */7");
  EXPECT_EQ(NextRun(wild, Utc("2033-01-01 00:00:00"), utc), kNever);
  EXPECT_EQ(PreviousRun(wild, Utc("2050-01-01 00:00:00"), utc), kNever);
  EXPECT_EQ(NextRun(CronExpression{}, 0, utc), kNever);
}

TEST(CronNext, SurvivesMomentsOutsideAnyCalendar) {
  const Zone utc("UTC");
  for (const char* text : {"0 2 * * *", "* * * * *"})
    for (const int64_t t : {std::numeric_limits<int64_t>::min(),
                            std::numeric_limits<int64_t>::max(), int64_t{1} << 60}) {
      EXPECT_EQ(NextRun(ParsedCron(text), t, utc), kNever);
      EXPECT_EQ(PreviousRun(ParsedCron(text), t, utc), kNever);
    }
}

// --- in words -------------------------------------------------------------------------------

TEST(CronInWords, SaysWhen) {
  struct Case {
    const char *text, *words;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"0 2 * * *", "at 02:00 every day"},
           {"@hourly", "every hour"},
           {"@weekly", "at 00:00 on Sunday"},
           {"@monthly", "at 00:00 on day 1 of the month"},
           {"@yearly", "at 00:00 on day 1 of the month in January"},
           {"* * * * *", "every minute"},
           {"*/15 * * * *", "every 15 minutes"},
           {"5 * * * *", "at minute 5 of every hour"},
           {"5,35 * * * *", "at minutes 5 and 35 of every hour"},
           {"0 */6 * * *", "at 00:00, 06:00, 12:00 and 18:00 every day"},
           {"*/15 8-17 * * 1-5", "every 15 minutes of hours 8-17 on Monday to Friday"},
           {"* 2 * * *", "every minute of hour 2"},
           {"30 2,14 * * mon,thu", "at 02:30 and 14:30 on Monday and Thursday"},
           {"0 4 1,15 * *", "at 04:00 on days 1 and 15 of the month"},
           {"0 4 L * *", "at 04:00 on the last day of the month"},
           {"0 4 15,L 3,9 *",
            "at 04:00 on day 15 and the last day of the month in March and September"},
           {"0 0 13 * fri", "at 00:00 on day 13 of the month or on Friday"},
           {"0 0 1-7 * */7", "at 00:00 on days 1-7 of the month, if it is Sunday"},
           {"0 0 * 1-4 *", "at 00:00 every day in January to April"},
           {"0-59 * 1-31 * 0-7", "every minute"},
       }) {
    char words[200];
    const size_t length = CronInWords(ParsedCron(c.text), words);
    EXPECT_EQ(std::string(words, length), c.words) << c.text;
    EXPECT_EQ(words[length], '\0');
  }
}

TEST(CronInWords, FitsWhereItIsPut) {
  char words[8] = "xxxxxxx";
  EXPECT_EQ(CronInWords(ParsedCron("0 2 * * *"), std::span(words, 5)), 4U);
  EXPECT_STREQ(words, "at 0");
  EXPECT_EQ(CronInWords(ParsedCron("0 2 * * *"), std::span<char>()), 0U);
}

// --- clock changes --------------------------------------------------------------------------

TEST(CronClockChange, AFixedTimeInTheGapRunsOnceRightAfterIt) {
  const Zone berlin("Europe/Berlin");  // 2026-03-29 02:00 becomes 03:00
  EXPECT_EQ(Runs("30 2 * * *", "2026-03-28 00:00:00", 3, berlin),
            (Texts{"2026-03-28 02:30:00 +0100", "2026-03-29 03:00:00 +0200",
                   "2026-03-30 02:30:00 +0200"}));
  EXPECT_EQ(Runs("0,20,40 2,3 * * *", "2026-03-29 00:00:00", 4, berlin),
            (Texts{"2026-03-29 03:00:00 +0200", "2026-03-29 03:20:00 +0200",
                   "2026-03-29 03:40:00 +0200", "2026-03-30 02:00:00 +0200"}));
  EXPECT_EQ(Show(PreviousRun(ParsedCron("30 2 * * *"), Utc("2026-03-29 12:00:00"), berlin), berlin),
            "2026-03-29 03:00:00 +0200");
  EXPECT_EQ(Show(PreviousRun(ParsedCron("30 2 * * *"), Utc("2026-03-29 00:59:59"), berlin), berlin),
            "2026-03-28 02:30:00 +0100");
}

TEST(CronClockChange, AFixedTimeInTheRepeatedHourRunsOnceTheFirstTime) {
  const Zone berlin("Europe/Berlin");  // 2026-10-25 03:00 becomes 02:00
  EXPECT_EQ(Runs("30 2 * * *", "2026-10-24 12:00:00", 2, berlin),
            (Texts{"2026-10-25 02:30:00 +0200", "2026-10-26 02:30:00 +0100"}));
  EXPECT_EQ(Runs("0 2,3 * * *", "2026-10-24 12:00:00", 3, berlin),
            (Texts{"2026-10-25 02:00:00 +0200", "2026-10-25 03:00:00 +0100",
                   "2026-10-26 02:00:00 +0100"}));
  // asked for in the second of the two hours, it still names the first
  EXPECT_EQ(Show(PreviousRun(ParsedCron("30 2 * * *"), Utc("2026-10-25 01:10:00"), berlin), berlin),
            "2026-10-25 02:30:00 +0200");
}

TEST(CronClockChange, AWildcardHourFollowsRealTime) {
  const Zone berlin("Europe/Berlin");
  EXPECT_EQ(Runs("30 * * * *", "2026-03-28 23:45:00", 3, berlin),
            (Texts{"2026-03-29 01:30:00 +0100", "2026-03-29 03:30:00 +0200",
                   "2026-03-29 04:30:00 +0200"}));
  EXPECT_EQ(Runs("30 * * * *", "2026-10-24 23:45:00", 4, berlin),
            (Texts{"2026-10-25 02:30:00 +0200", "2026-10-25 02:30:00 +0100",
                   "2026-10-25 03:30:00 +0100", "2026-10-25 04:30:00 +0100"}));
  EXPECT_EQ(Show(PreviousRun(ParsedCron("30 * * * *"), Utc("2026-10-25 01:29:00"), berlin), berlin),
            "2026-10-25 02:30:00 +0200");
}

TEST(CronClockChange, AWildcardMinuteOfTheMissingHourDoesNotRunThatDay) {
  const Zone berlin("Europe/Berlin");
  EXPECT_EQ(Runs("*/30 2 * * *", "2026-03-28 01:15:00", 2, berlin),
            (Texts{"2026-03-28 02:30:00 +0100", "2026-03-30 02:00:00 +0200"}));
  EXPECT_EQ(
      Runs("*/30 2 25 10 *", "2026-10-01 00:00:00", 5, berlin),
      (Texts{"2026-10-25 02:00:00 +0200", "2026-10-25 02:30:00 +0200", "2026-10-25 02:00:00 +0100",
             "2026-10-25 02:30:00 +0100", "2027-10-25 02:00:00 +0200"}));
}

TEST(CronClockChange, LordHoweMovesByHalfAnHour) {
  const Zone lord_howe("Australia/Lord_Howe");  // 2026-10-04 02:00 becomes 02:30
  EXPECT_EQ(Runs("15 2 * * *", "2026-10-02 16:00:00", 3, lord_howe),
            (Texts{"2026-10-04 02:30:00 +1100", "2026-10-05 02:15:00 +1100",
                   "2026-10-06 02:15:00 +1100"}));
  // 2026-04-05 02:00 becomes 01:30
  EXPECT_EQ(Runs("45 1 * * *", "2026-04-04 00:00:00", 2, lord_howe),
            (Texts{"2026-04-05 01:45:00 +1100", "2026-04-06 01:45:00 +1030"}));
  EXPECT_EQ(Runs("45 * * * *", "2026-04-04 14:00:00", 3, lord_howe),
            (Texts{"2026-04-05 01:45:00 +1100", "2026-04-05 01:45:00 +1030",
                   "2026-04-05 02:45:00 +1030"}));
}

TEST(CronClockChange, TheDayMissingInApiaRunsAtItsEnd) {
  const Zone apia("Pacific/Apia");  // 2011-12-30 does not exist
  EXPECT_EQ(Runs("0 2 * * *", "2011-12-29 00:00:00", 4, apia),
            (Texts{"2011-12-29 02:00:00 -1000", "2011-12-31 00:00:00 +1400",
                   "2011-12-31 02:00:00 +1400", "2012-01-01 02:00:00 +1400"}));
  EXPECT_EQ(Runs("0 2 30 12 *", "2011-06-01 00:00:00", 2, apia),
            (Texts{"2011-12-31 00:00:00 +1400", "2012-12-30 02:00:00 +1400"}));
  EXPECT_EQ(Runs("0 */12 * * *", "2011-12-29 23:00:00", 3, apia),
            (Texts{"2011-12-31 00:00:00 +1400", "2011-12-31 12:00:00 +1400",
                   "2012-01-01 00:00:00 +1400"}));
}

TEST(CronClockChange, TheDayJuneauSawTwiceRunsOnce) {
  // Alaska, sold in 1867, moved to the other side of the date line: 18 October came twice.
  // 1867-10-18.
  const Zone juneau("America/Juneau");
  EXPECT_EQ(Runs("0 12 * * *", "1867-10-17 00:00:00", 3, juneau).size(), 3U);
  const CronExpression cron = ParsedCron("0 12 18 10 *");
  const int64_t run = NextRun(cron, Utc("1867-10-01 00:00:00"), juneau);
  EXPECT_EQ(Show(run, juneau).substr(0, 16), "1867-10-18 12:00");
  EXPECT_EQ(Show(NextRun(cron, run, juneau), juneau).substr(0, 10), "1868-10-18");
}

TEST(CronClockChange, AMidnightThatDoesNotExistRunsAtOne) {
  const Zone beirut("Asia/Beirut");  // 2022-03-27 00:00 becomes 01:00
  EXPECT_EQ(Runs("0 0 * * *", "2022-03-26 12:00:00", 2, beirut),
            (Texts{"2022-03-27 01:00:00 +0300", "2022-03-28 00:00:00 +0300"}));
}

// --- against a minute by minute walk --------------------------------------------------------

bool Matches(const CronExpression& cron, const tm& t) {
  static constexpr int kLengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int year = t.tm_year + 1900;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  const int length = kLengths[t.tm_mon] + (t.tm_mon == 1 && leap ? 1 : 0);
  if ((cron.minutes >> t.tm_min & 1) == 0 || (cron.hours >> t.tm_hour & 1) == 0 ||
      (cron.months >> (t.tm_mon + 1) & 1) == 0)
    return false;
  const bool date =
      (cron.days_of_month >> t.tm_mday & 1) != 0 || (cron.last_day_of_month && t.tm_mday == length);
  const bool weekday = (cron.days_of_week >> t.tm_wday & 1) != 0;
  if (cron.any_day_of_month || cron.any_day_of_week) return date && weekday;
  return date || weekday;
}

struct Minute {
  int64_t instant;
  int64_t reading;  // minutes on the wall clock
  tm local;
};

// What a clock shows at every minute from `from` to `to`.
std::vector<Minute> Walk(int64_t from, int64_t to) {
  std::vector<Minute> minutes;
  for (time_t t = from; t < to; t += 60) {
    Minute minute = {t, 0, {}};
    localtime_r(&t, &minute.local);
    minute.reading = (t + minute.local.tm_gmtoff) / 60;
    minutes.push_back(minute);
  }
  return minutes;
}

std::vector<int64_t> NaiveRuns(const CronExpression& cron, const std::vector<Minute>& minutes) {
  std::vector<int64_t> runs;
  int64_t latest = minutes.front().reading - 1;
  for (const Minute& minute : minutes) {
    bool runs_now = Matches(cron, minute.local);
    if (!cron.follows_real_time) {
      if (minute.reading <= latest) runs_now = false;
      for (int64_t skipped = latest + 1; skipped < minute.reading; ++skipped) {
        const time_t as_utc = skipped * 60;
        tm missing = {};
        gmtime_r(&as_utc, &missing);
        runs_now = runs_now || Matches(cron, missing);
      }
      latest = std::max(latest, minute.reading);
    }
    if (runs_now) runs.push_back(minute.instant);
  }
  return runs;
}

std::string RandomField(std::mt19937* random, int low, int high) {
  const auto any = [&](int from, int to) {
    return std::uniform_int_distribution<int>(from, to)(*random);
  };
  std::string text;
  for (int elements = any(1, 2); elements > 0; --elements) {
    if (!text.empty()) text += ',';
    const int first = any(low, high);
    switch (any(0, 4)) {
      case 0:
        text += "*";
        break;
      case 1:
        text += "*/" + std::to_string(any(1, high));
        break;
      case 2:
        text += std::to_string(first) + "-" + std::to_string(any(first, high)) + "/" +
                std::to_string(any(1, high));
        break;
      default:
        text += std::to_string(first);
    }
  }
  return text;
}

TEST(CronProperty, AgreesWithAMinuteByMinuteWalkInManyZones) {
  struct Case {
    const char *zone, *from, *to;
  };
  const Case cases[] = {
      {"Europe/Berlin", "2023-12-01 00:00:00", "2024-12-31 00:00:00"},
      {"America/New_York", "2025-02-01 00:00:00", "2025-12-31 00:00:00"},
      {"Australia/Lord_Howe", "2026-03-01 00:00:00", "2026-11-30 00:00:00"},
      {"Pacific/Apia", "2011-09-01 00:00:00", "2012-05-01 00:00:00"},
      {"Africa/Casablanca", "2025-01-01 00:00:00", "2025-06-30 00:00:00"},
      {"Asia/Kathmandu", "2026-01-01 00:00:00", "2026-04-01 00:00:00"},
      {"America/Scoresbysund", "2024-01-01 00:00:00", "2024-12-01 00:00:00"},
  };
  std::mt19937 random(20260115);
  for (const Case& c : cases) {
    const Zone zone(c.zone);
    const int64_t from = Utc(c.from);
    const int64_t to = Utc(c.to);
    const std::vector<Minute> minutes = Walk(from, to);
    for (int round = 0; round < 20; ++round) {
      const std::string text = RandomField(&random, 0, 59) + " " + RandomField(&random, 0, 23) +
                               " " + (round % 5 == 0 ? "L" : RandomField(&random, 1, 28)) + " " +
                               (round % 2 == 0 ? "*" : RandomField(&random, 1, 12)) + " " +
                               RandomField(&random, 0, 7);
      const CronExpression cron = ParsedCron(text);
      const std::vector<int64_t> naive = NaiveRuns(cron, minutes);
      // all of the seldom runs, a part of the frequent ones
      const size_t step = naive.size() / 400 + 1;
      for (size_t i = 0; i + 1 < naive.size(); i += std::max<size_t>(1, step)) {
        ASSERT_EQ(Show(NextRun(cron, naive[i], zone), zone), Show(naive[i + 1], zone))
            << text << " in " << c.zone << " after " << Show(naive[i], zone);
        ASSERT_EQ(Show(PreviousRun(cron, naive[i + 1] - 1, zone), zone), Show(naive[i], zone))
            << text << " in " << c.zone << " before " << Show(naive[i + 1], zone);
        ASSERT_EQ(PreviousRun(cron, naive[i], zone), naive[i]) << text;
      }
    }
  }
}

// Thirty years of minutes are too many to walk for every expression, so of each zone the weeks
// around all its clock changes are walked, and as many other weeks drawn at random.
TEST(CronProperty, AgreesWithTheWalkOverThirtyYearsInTenZones) {
  constexpr unsigned kSeed = 20260701;
  std::printf("seed %u\n", kSeed);
  std::mt19937 random(kSeed);
  constexpr int64_t kDay = 86400, kWeek = 7 * kDay;
  size_t runs = 0;
  for (const char* name : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                           "Pacific/Apia", "Africa/Casablanca", "Asia/Kathmandu",
                           "America/Santiago", "Asia/Tehran", "Europe/Dublin", "Pacific/Chatham"}) {
    const Zone zone(name);
    const int64_t from = Utc("2000-01-02 00:00:00");
    const int64_t to = Utc("2030-01-06 00:00:00");
    for (int64_t week = from; week < to; week += kWeek) {
      const bool changes =
          LocalByLibc(week, nullptr).utc_offset != LocalByLibc(week + kWeek, nullptr).utc_offset;
      if (!changes && random() % 40 != 0) continue;
      // A reading of the weeks before may not hide one of this week, nor the other way round.
      const std::vector<Minute> minutes = Walk(week - 2 * kDay, week + kWeek + 2 * kDay);
      for (int round = 0; round < 3; ++round) {
        const CronExpression cron =
            ParsedCron(RandomField(&random, 0, 59) + " " + RandomField(&random, 0, 23) + " * * " +
                       (round == 0 ? "*" : RandomField(&random, 0, 7)));
        const std::vector<int64_t> naive = NaiveRuns(cron, minutes);
        const size_t step = naive.size() / 40 + 1;
        for (size_t i = 0; i + 1 < naive.size(); i += step) {
          if (naive[i] < week) continue;
          ++runs;
          ASSERT_EQ(Show(NextRun(cron, naive[i], zone), zone), Show(naive[i + 1], zone))
              << name << " after " << Show(naive[i], zone);
          ASSERT_EQ(Show(PreviousRun(cron, naive[i + 1] - 1, zone), zone), Show(naive[i], zone))
              << name << " before " << Show(naive[i + 1], zone);
        }
      }
    }
  }
  EXPECT_GT(runs, 10'000U);
}

TEST(CronProperty, AgreesWithTheWalkAtEveryMinuteAroundAClockChange) {
  struct Case {
    const char *zone, *change;
  };
  const Case cases[] = {{"Europe/Berlin", "2026-03-29 01:00:00"},
                        {"Europe/Berlin", "2026-10-25 01:00:00"},
                        {"Australia/Lord_Howe", "2026-10-03 15:30:00"},
                        {"Australia/Lord_Howe", "2026-04-04 15:00:00"},
                        {"Pacific/Apia", "2011-12-30 10:00:00"}};
  for (const Case& c : cases) {
    const Zone zone(c.zone);
    const std::vector<Minute> minutes =
        Walk(Utc(c.change) - int64_t{2} * 86400, Utc(c.change) + int64_t{2} * 86400);
    for (const char* text : {"30 2 * * *", "15 1,2 * * *", "*/20 * * * *", "0 0 * * *", "* 2 * * *",
                             "0 * * * *", "59 23 * * *", "10-50/10 1-3 * * *"}) {
      const CronExpression cron = ParsedCron(text);
      const std::vector<int64_t> naive = NaiveRuns(cron, minutes);
      size_t next = 0;
      for (const Minute& minute : minutes) {
        while (next < naive.size() && naive[next] <= minute.instant) ++next;
        if (next == naive.size()) break;
        ASSERT_EQ(NextRun(cron, minute.instant, zone), naive[next])
            << text << " in " << c.zone << " after " << Show(minute.instant, zone);
        if (next == 0) continue;
        ASSERT_EQ(PreviousRun(cron, minute.instant, zone), naive[next - 1])
            << text << " in " << c.zone << " at " << Show(minute.instant, zone);
      }
    }
  }
}

}  // namespace
}  // namespace pgbackup
