// Commands as settings hold them: a JSON array of texts, the program's absolute path first. Neither
// allocates nor throws, for the server module too.
#pragma once

#include <string_view>

namespace pgbackup {

// nullptr for a command, else what is wrong with the text, a sentence. Stricter than JSON: \u… is
// refused, because the characters can be written as they are.
constexpr const char* CommandTextError(std::string_view text) noexcept {
  constexpr const char* kNoArray = "It is not a JSON array of texts.";
  size_t at = 0;
  const auto skip_blanks = [&] {
    while (at < text.size() && std::string_view(" \t\r\n").find(text[at]) != std::string_view::npos)
      ++at;
  };
  const auto take = [&](char c) {
    if (at == text.size() || text[at] != c) return false;
    ++at;
    return true;
  };
  skip_blanks();
  if (!take('[')) return kNoArray;
  for (int words = 0;; ++words) {
    skip_blanks();
    if (!take('"')) return kNoArray;
    if (words == 0 && (at == text.size() || text[at] != '/'))
      return "The first element must be the absolute path of a program.";
    for (;;) {
      if (at == text.size() || static_cast<unsigned char>(text[at]) < ' ') return kNoArray;
      const char c = text[at++];
      if (c == '"') break;
      if (c != '\\') continue;
      if (at == text.size() ||
          std::string_view("\"\\/bfnrt").find(text[at]) == std::string_view::npos)
        return "Of escapes only \\\", \\\\, \\/, \\b, \\f, \\n, \\r and \\t are known.";
      ++at;
    }
    skip_blanks();
    if (take(',')) continue;
    if (!take(']')) return kNoArray;
    skip_blanks();
    return at == text.size() ? nullptr : kNoArray;
  }
}

}  // namespace pgbackup
