#include "core/process/line_tail.h"

#include "core/base/utf8.h"

namespace pgbackup {

void LineTail::Append(std::string_view text) {
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    const std::string_view piece = text.substr(0, newline);
    if (!line_is_open_) {
      lines_.emplace_back();
      if (lines_.size() > kMaxLines) lines_.pop_front();
    }
    std::string& line = lines_.back();
    line += piece.substr(0, kMaxLineLength - line.size());
    line_is_open_ = newline == std::string_view::npos;
    text.remove_prefix(line_is_open_ ? text.size() : newline + 1);
  }
}

std::string LineTail::Text() const {
  std::string text;
  for (const std::string& line : lines_) {
    if (!text.empty()) text += '\n';
    text += ToValidUtf8(line);
  }
  return text;
}

}  // namespace pgbackup
