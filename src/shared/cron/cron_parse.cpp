#include "shared/ascii.h"
#include "shared/cron/cron.h"

namespace pgbackup {
namespace {

// What one of the five fields may hold, and what to say when it holds something else.
struct FieldRule {
  const char* name;
  int low, high;           // values that may be written
  std::string_view names;  // three letters each; empty for none
  int first_name;          // the value of the first
  int last;                // the last value '*' stands for (7 is only another way to write Sunday)
  const char* out_of_range;
  const char* bad_step;
};

constexpr FieldRule kRules[] = {
    {"minute",
     0,
     59,
     {},
     0,
     59,
     "minute is out of range 0-59",
     "step of minute is out of range 1-59"},
    {"hour", 0, 23, {}, 0, 23, "hour is out of range 0-23", "step of hour is out of range 1-23"},
    {"day of month",
     1,
     31,
     {},
     0,
     31,
     "day of month is out of range 1-31",
     "step of day of month is out of range 1-31"},
    {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec", 1, 12, "month is out of range 1-12",
     "step of month is out of range 1-12"},
    {"day of week", 0, 7, "sunmontuewedthufrisat", 0, 6, "day of week is out of range 0-7",
     "step of day of week is out of range 1-7"},
};
enum FieldIndex { kMinute, kHour, kDayOfMonth, kMonth, kDayOfWeek, kFieldCount };

struct Field {
  uint64_t bits = 0;
  bool starts_with_star = false;
  bool last_day = false;
};

bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}
char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Reads an expression from left to right. Every method but the tests returns false after it has
// filled *error.
class Parser {
 public:
  Parser(std::string_view text, CronError* error) : text_(text), error_(error) {}

  void SkipSpace() {
    while (!AtEnd() && IsBlank(text_[at_])) ++at_;
  }
  bool AtEnd() const { return at_ == text_.size(); }
  int position() const { return static_cast<int>(at_); }

  bool Fail(const char* message, const FieldRule* rule, size_t position) {
    *error_ = {message, rule == nullptr ? nullptr : rule->name, static_cast<int>(position)};
    return false;
  }
  bool Fail(const char* message) { return Fail(message, nullptr, at_); }

  // list := element { ',' element }
  bool ParseField(const FieldRule& rule, Field* field) {
    field->starts_with_star = Peek() == '*';
    do {
      if (!ParseElement(rule, field)) return false;
    } while (Accept(','));
    if (!AtEnd() && !IsBlank(text_[at_])) return Fail("unexpected character", &rule, at_);
    return true;
  }

  // Accepts @daily and its like, in any case.
  bool ParseNickname(std::string_view* meaning) {
    struct Nickname {
      std::string_view name, meaning;
    };
    constexpr Nickname kNicknames[] = {
        {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
        {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
        {"@hourly", "0 * * * *"},
    };
    const size_t start = at_;
    for (const Nickname& nickname : kNicknames) {
      at_ = start;
      if (!AcceptWord(nickname.name)) continue;
      SkipSpace();
      if (!AtEnd()) return Fail("nothing may follow a nickname");
      *meaning = nickname.meaning;
      return true;
    }
    return Fail("unknown nickname, use @hourly, @daily, @weekly, @monthly or @yearly", nullptr,
                start);
  }

 private:
  char Peek() const { return AtEnd() ? '\0' : text_[at_]; }
  bool Accept(char c) {
    if (AtEnd() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool AcceptWord(std::string_view lower_case_word) {
    if (text_.size() - at_ < lower_case_word.size()) return false;
    for (size_t i = 0; i < lower_case_word.size(); ++i)
      if (Lower(text_[at_ + i]) != lower_case_word[i]) return false;
    const size_t end = at_ + lower_case_word.size();
    if (end < text_.size() && !IsBlank(text_[end])) return false;
    at_ = end;
    return true;
  }

  // element := '*' [ '/' step ] | value [ '-' value [ '/' step ] ] | 'L' | '$'
  bool ParseElement(const FieldRule& rule, Field* field) {
    int first = rule.low;
    int last = rule.last;
    bool is_range = true;
    if (&rule == &kRules[kDayOfMonth] && (Peek() == '$' || Lower(Peek()) == 'l')) {
      ++at_;
      field->last_day = true;
      return true;
    }
    if (!Accept('*')) {
      const size_t start = at_;
      if (!ParseValue(rule, false, &first)) return false;
      last = first;
      is_range = Accept('-');
      if (is_range && !ParseValue(rule, true, &last)) return false;
      if (first > last) return Fail("range runs backwards", &rule, start);
    }
    int step = 1;
    if (Accept('/')) {
      if (!is_range) return Fail("a step needs a range or * before it", &rule, at_ - 1);
      if (!ParseStep(rule, &step)) return false;
    }
    for (int value = first; value <= last; value += step)
      field->bits |= uint64_t{1} << (value > rule.last ? rule.low : value);
    return true;
  }

  // A number or a name. Sunday's name at the end of a range is the last day of the week.
  bool ParseValue(const FieldRule& rule, bool ends_range, int* value) {
    if (IsLetter(Peek()) && !rule.names.empty()) return ParseName(rule, ends_range, value);
    const size_t start = at_;
    if (!ParseNumber(value))
      return Fail(AtEnd() || IsBlank(Peek()) ? "value is missing" : "unexpected character", &rule,
                  at_);
    if (*value < rule.low || *value > rule.high) return Fail(rule.out_of_range, &rule, start);
    return true;
  }

  bool ParseName(const FieldRule& rule, bool ends_range, int* value) {
    const size_t start = at_;
    while (IsLetter(Peek())) ++at_;
    if (at_ - start == 3) {
      const char word[] = {Lower(text_[start]), Lower(text_[start + 1]), Lower(text_[start + 2])};
      for (size_t i = 0; i < rule.names.size(); i += 3) {
        if (rule.names.substr(i, 3) != std::string_view(word, 3)) continue;
        *value = rule.first_name + static_cast<int>(i / 3);
        if (ends_range && &rule == &kRules[kDayOfWeek] && *value == 0) *value = rule.high;
        return true;
      }
    }
    return Fail("unknown name, names have three letters like MON or JAN", &rule, start);
  }

  bool ParseStep(const FieldRule& rule, int* step) {
    const size_t start = at_;
    if (!ParseNumber(step)) return Fail("step is missing", &rule, at_);
    if (*step < 1 || *step > rule.high) return Fail(rule.bad_step, &rule, start);
    return true;
  }

  bool ParseNumber(int* value) {
    if (!IsDigit(Peek())) return false;
    *value = 0;
    for (; IsDigit(Peek()); ++at_)
      if (*value < 1000) *value = *value * 10 + (Peek() - '0');
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  CronError* error_;
};

// True when some month of the expression has one of its days. Asked only when nothing but the day
// of month picks the days.
bool SomeDateExists(const CronExpression& cron) {
  constexpr int kLongest[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (cron.last_day_of_month) return true;
  for (int month = 1; month <= 12; ++month) {
    if ((cron.months >> month & 1) == 0) continue;
    const uint64_t days = (uint64_t{1} << (kLongest[month - 1] + 1)) - 1;
    if ((cron.days_of_month & days) != 0) return true;
  }
  return false;
}

}  // namespace

bool ParseCron(std::string_view text, CronExpression* cron, CronError* error) noexcept {
  Parser parser(text, error);
  parser.SkipSpace();
  if (parser.AtEnd()) return parser.Fail("expression is empty");
  std::string_view meaning;
  if (text[static_cast<size_t>(parser.position())] == '@') {
    if (!parser.ParseNickname(&meaning)) return false;
    return ParseCron(meaning, cron, error);
  }

  Field fields[kFieldCount];
  int positions[kFieldCount];
  for (int i = 0; i < kFieldCount; ++i) {
    parser.SkipSpace();
    if (parser.AtEnd())
      return parser.Fail("too few fields, five are needed: minute hour day month weekday");
    positions[i] = parser.position();
    if (!parser.ParseField(kRules[i], &fields[i])) return false;
  }
  parser.SkipSpace();
  if (!parser.AtEnd())
    return parser.Fail("too many fields, five are needed: minute hour day month weekday");

  CronExpression result;
  result.minutes = fields[kMinute].bits;
  result.hours = static_cast<uint32_t>(fields[kHour].bits);
  result.days_of_month = static_cast<uint32_t>(fields[kDayOfMonth].bits);
  result.months = static_cast<uint32_t>(fields[kMonth].bits);
  result.days_of_week = static_cast<uint8_t>(fields[kDayOfWeek].bits);
  result.last_day_of_month = fields[kDayOfMonth].last_day;
  result.any_day_of_month = fields[kDayOfMonth].starts_with_star;
  result.any_day_of_week = fields[kDayOfWeek].starts_with_star;
  result.follows_real_time = fields[kMinute].starts_with_star || fields[kHour].starts_with_star;
  if (!result.any_day_of_month && result.any_day_of_week && !SomeDateExists(result))
    return parser.Fail("day of month does not exist in the given months", &kRules[kDayOfMonth],
                       static_cast<size_t>(positions[kDayOfMonth]));
  *cron = result;
  return true;
}

}  // namespace pgbackup
