#include "core/postgres/sql_script.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/postgres/quoting.h"
#include "core/postgres/sql_comment.h"
#include "shared/ascii.h"
#include "shared/trim.h"

namespace pgbackup {
namespace {

[[noreturn]] void ThrowNeverEnds(std::string_view quoted) {
  throw Error(ErrorKind::kInvalid, "the SQL script has a quote that never ends",
              "It begins with " + std::string(quoted.substr(0, 20)) + ".");
}

class ScriptSplitter {
 public:
  explicit ScriptSplitter(std::string_view script) : rest_(script), begin_(script) {}
  std::vector<SqlStatement> Split();

 private:
  bool SkipBlank();
  void TakeToken();
  void Take(SqlToken::Kind kind, size_t length);
  size_t WordLength() const;
  size_t TextLength(size_t prefix, bool escapes) const;
  size_t DollarLength() const;
  void EndStatement();

  std::string_view rest_;
  std::string_view begin_;  // where the statement's first token begins
  std::vector<SqlStatement> statements_;
  SqlStatement statement_;
  int parentheses_ = 0;
};

// Takes one blank or comment off; false when there comes something else.
bool ScriptSplitter::SkipBlank() {
  const bool is_first = statement_.tokens.empty();
  if (TrimBlanks(rest_.substr(0, 1)).empty() || rest_.front() == '\f' || rest_.front() == '\v')
    rest_.remove_prefix(1);
  else if (rest_.substr(0, 2) == "--" || (is_first && rest_.front() == '\\'))
    rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
  else if (rest_.substr(0, 2) == "/*")
    rest_ = AfterBlockComment(rest_);
  else
    return false;
  return true;
}

size_t ScriptSplitter::WordLength() const {
  size_t length = 0;
  while (length < rest_.size() && IsNameCharacter(rest_[length], length == 0)) ++length;
  return length;
}

// Of a literal in single quotes with a prefix (E, B, U&, …), of which there are `prefix` bytes.
size_t ScriptSplitter::TextLength(size_t prefix, bool escapes) const {
  for (size_t i = prefix + 1; i < rest_.size(); ++i) {
    const bool is_doubled = rest_[i] == '\'' && rest_.substr(i + 1, 1) == "'";
    if (is_doubled || (escapes && rest_[i] == '\\'))
      ++i;
    else if (rest_[i] == '\'')
      return i + 1;
  }
  ThrowNeverEnds(rest_);
}

// Of a literal in dollar quotes; 0 when it is none.
size_t ScriptSplitter::DollarLength() const {
  size_t tag = 1;
  while (tag < rest_.size() && rest_[tag] != '$' && IsNameCharacter(rest_[tag], tag == 1)) ++tag;
  if (rest_.substr(tag, 1) != "$") return 0;
  const std::string_view quote = rest_.substr(0, tag + 1);
  const size_t end = rest_.find(quote, quote.size());
  if (end == std::string_view::npos) ThrowNeverEnds(rest_);
  return end + quote.size();
}

void ScriptSplitter::Take(SqlToken::Kind kind, size_t length) {
  if (statement_.tokens.empty()) begin_ = rest_;
  SqlToken token{kind, std::string(rest_.substr(0, length)), {}};
  token.value = token.source;
  if (kind == SqlToken::Kind::kWord)
    for (char& c : token.value)
      if (IsUpper(c)) c = static_cast<char>(c - 'A' + 'a');
  rest_.remove_prefix(length);
  statement_.tokens.push_back(std::move(token));
}

void ScriptSplitter::TakeToken() {
  const char c = rest_.front();
  const size_t word = WordLength();
  const bool has_quote = rest_.substr(word, 1) == "'";
  const bool is_unicode = word == 1 && (c == 'U' || c == 'u') && rest_.substr(1, 2) == "&'";
  if (is_unicode) {
    Take(SqlToken::Kind::kText, TextLength(2, false));
  } else if (has_quote && word <= 1) {
    Take(SqlToken::Kind::kText, TextLength(word, c == 'E' || c == 'e'));
  } else if (word > 0) {
    Take(SqlToken::Kind::kWord, word);
  } else if (c == '"') {
    std::string_view after = rest_;
    std::string name;
    if (!TakeQuotedIdentifier(&after, &name)) ThrowNeverEnds(rest_);
    Take(SqlToken::Kind::kName, rest_.size() - after.size());
    statement_.tokens.back().value = std::move(name);
  } else if (const size_t quoted = c == '$' ? DollarLength() : 0; quoted > 0) {
    Take(SqlToken::Kind::kText, quoted);
  } else {
    parentheses_ += c == '(' ? 1 : c == ')' ? -1 : 0;
    size_t length = 1;
    while (IsDigit(c) && length < rest_.size() &&
           (IsNameCharacter(rest_[length], false) || rest_[length] == '.'))
      ++length;
    Take(SqlToken::Kind::kOther, length);
  }
}

void ScriptSplitter::EndStatement() {
  if (!statement_.tokens.empty()) {
    const size_t length = static_cast<size_t>(rest_.data() - begin_.data());
    statement_.text = TrimBlanks(begin_.substr(0, length));
    statements_.push_back(std::move(statement_));
  }
  statement_ = {};
  parentheses_ = 0;
}

std::vector<SqlStatement> ScriptSplitter::Split() {
  while (!rest_.empty()) {
    if (SkipBlank()) continue;
    if (rest_.front() == ';' && parentheses_ <= 0) {
      EndStatement();
      rest_.remove_prefix(1);
    } else {
      TakeToken();
    }
  }
  EndStatement();
  return std::move(statements_);
}

}  // namespace

bool SqlStatement::BeginsWith(std::initializer_list<std::string_view> words) const {
  if (tokens.size() < words.size()) return false;
  size_t i = 0;
  for (const std::string_view word : words) {
    const SqlToken& token = tokens[i++];
    if (word == "?" ? !token.IsIdentifier() : !token.IsWord(word)) return false;
  }
  return true;
}

std::vector<SqlStatement> SplitSqlScript(std::string_view script) {
  return ScriptSplitter(script).Split();
}

}  // namespace pgbackup
