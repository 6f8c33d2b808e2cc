#include "core/postgres/sql_comment.h"

namespace pgbackup {

std::string_view AfterBlockComment(std::string_view text) {
  int depth = 0;
  while (!text.empty()) {
    const std::string_view two = text.substr(0, 2);
    if (two == "/*") ++depth;
    if (two == "*/") --depth;
    text.remove_prefix(two == "/*" || two == "*/" ? 2 : 1);
    if (depth == 0) break;
  }
  return text;
}

}  // namespace pgbackup
