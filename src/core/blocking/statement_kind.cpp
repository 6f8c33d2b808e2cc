#include "core/blocking/statement_kind.h"

#include <algorithm>
#include <iterator>

#include "core/postgres/sql_comment.h"

namespace pgbackup {
namespace {

constexpr std::string_view kCommands[] = {
    "ALTER",   "ANALYZE", "CALL",   "CLUSTER", "COMMENT", "COPY",     "CREATE",
    "DELETE",  "DO",      "DROP",   "GRANT",   "INSERT",  "LOCK",     "MERGE",
    "REFRESH", "REINDEX", "REVOKE", "SELECT",  "UPDATE",  "TRUNCATE", "VACUUM",
};

// What tells more about these: the kind of object, and how a table is vacuumed.
constexpr std::string_view kMoreWords[] = {
    "DATABASE",     "EXTENSION", "FULL",        "FUNCTION", "INDEX",
    "MATERIALIZED", "POLICY",    "PUBLICATION", "RULE",     "SCHEMA",
    "SEQUENCE",     "TABLE",     "TRIGGER",     "TYPE",     "VIEW",
};

bool IsSpaceOrParenthesis(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v' || c == '(';
}

std::string_view AfterBlanks(std::string_view text) {
  for (;;) {
    if (!text.empty() && IsSpaceOrParenthesis(text.front())) {
      text.remove_prefix(1);
    } else if (text.substr(0, 2) == "--") {
      text.remove_prefix(std::min(text.find('\n'), text.size()));
    } else if (text.substr(0, 2) == "/*") {
      text = AfterBlockComment(text);
    } else {
      return text;
    }
  }
}

// The next word in upper case, taken off `text`; empty when there comes something else.
std::string TakeWord(std::string_view* text) {
  *text = AfterBlanks(*text);
  std::string word;
  while (!text->empty()) {
    const char c = text->front();
    const bool lower = c >= 'a' && c <= 'z';
    if (!lower && !(c >= 'A' && c <= 'Z')) break;
    word += lower ? static_cast<char>(c - 'a' + 'A') : c;
    text->remove_prefix(1);
  }
  return word;
}

template <size_t kCount>
bool IsOneOf(const std::string& word, const std::string_view (&list)[kCount]) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

}  // namespace

std::string StatementKind(std::string_view query) {
  std::string kind = TakeWord(&query);
  if (!IsOneOf(kind, kCommands)) return "";
  const std::string more = TakeWord(&query);
  if (IsOneOf(more, kMoreWords)) kind += " " + more;
  return kind;
}

}  // namespace pgbackup
