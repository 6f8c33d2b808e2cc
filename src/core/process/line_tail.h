// The last lines of a text that arrives in pieces, in bounded memory.
#pragma once

#include <deque>
#include <string>
#include <string_view>

namespace pgbackup {

class LineTail {
 public:
  static constexpr size_t kMaxLines = 60;         // a statement that an error quotes among them
  static constexpr size_t kMaxLineLength = 1000;  // bytes; the rest of a longer line is dropped

  void Append(std::string_view text);

  // The lines kept, separated by newlines, without a trailing one, valid UTF-8.
  std::string Text() const;

 private:
  std::deque<std::string> lines_;
  bool line_is_open_ = false;
};

}  // namespace pgbackup
