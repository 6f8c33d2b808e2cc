// Where a backup's folder is: pgbackup.name_template expanded for one run.
//
// Placeholders: {cluster} {instance} {environment} {database} {schedule} {label} {type} {id}
// {time:STRFTIME};
// "{{" and "}}" are literal braces. A value put in for a placeholder becomes safe as a part of an
// object name by percent-encoding: every byte but A-Z a-z 0-9 - _ . and bytes of multi-byte UTF-8
// characters; a '.' or '-' that starts a path part is encoded too. So a '/' in a database name can
// neither add a folder nor leave one, and two databases never share one.
//
// Used by the server module too: no exceptions, no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pgbackup {

inline constexpr std::string_view kDefaultNameTemplate =
    "{cluster}-{instance}/{database}/backup_{database}_{time:%Y-%m-%d_%H-%M-%S}_{id}";

// The longest expanded name, bytes, without the terminating zero, and its longest part.
inline constexpr size_t kMaxNameLength = 900;
inline constexpr size_t kMaxNamePartLength = 255;

struct NameFields {
  std::string_view cluster, instance, environment, database, schedule, label, type;
  int64_t id = 0;
};

// Formats the run's time by a strftime pattern into `out` (capacity `size`), returns the length or
// 0 when it does not fit. `pattern` is zero-terminated.
struct TimeFormatter {
  size_t (*format)(char* out, size_t size, const char* pattern, const void* context) noexcept;
  const void* context;
};

// Checks a template without expanding it. On failure returns false and points *error (static text,
// a whole sentence) at the trouble: unknown or unclosed placeholder, empty, absolute, empty / "." /
// ".." parts, control characters or backslash in the literal text, no {id} and no {time:} (two runs
// would collide), too long.
bool CheckNameTemplate(std::string_view text, const char** error) noexcept;

// Whether no two runs, of one server or of several, can have the same name: the template holds
// {instance} and {id}. False for one that CheckNameTemplate refuses.
bool NamesAreUnique(std::string_view text) noexcept;

// Expands a template into `out` (zero-terminated). Returns the length, or 0 with *error set as
// above. Parts that come out empty because a field is empty are dropped together with their slash.
size_t ExpandName(std::string_view text, const NameFields& fields, const TimeFormatter& time,
                  char (&out)[kMaxNameLength + 1], const char** error) noexcept;

}  // namespace pgbackup
