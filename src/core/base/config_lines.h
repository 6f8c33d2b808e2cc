// What the lines of a small text file say that people write.
#pragma once

#include <algorithm>
#include <string_view>

#include "shared/trim.h"

namespace pgbackup {

// One after the other, without the blanks around it; those that are empty or a comment, which
// begins with "#", are passed over. The text outlives this and the lines.
class ConfigLines {
 public:
  explicit ConfigLines(std::string_view text) noexcept : rest_(text) {}

  // False when there is none any more.
  bool Next(std::string_view* line) noexcept {
    while (!rest_.empty()) {
      const size_t end = std::min(rest_.find('\n'), rest_.size());
      *line = TrimBlanks(rest_.substr(0, end));
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      ++number_;
      if (!line->empty() && line->front() != '#') return true;
    }
    return false;
  }

  // Of the last one, counted from 1.
  int number() const noexcept { return number_; }

 private:
  std::string_view rest_;
  int number_ = 0;
};

}  // namespace pgbackup
