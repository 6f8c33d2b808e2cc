// An SQL script, such as pg_dumpall writes, cut into its statements. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace pgbackup {

struct SqlToken {
  enum class Kind {
    kWord,   // a keyword or a name without quotes
    kName,   // a name in double quotes
    kText,   // a literal: '…', E'…', $$…$$, …
    kOther,  // a number, an operator, a parenthesis
  };
  Kind kind = Kind::kOther;
  std::string source;  // as it is written
  std::string value;   // of a word: in lower case; of a name: what the quotes hold; else the source

  bool IsWord(std::string_view word) const { return kind == Kind::kWord && value == word; }
  bool IsIdentifier() const { return kind == Kind::kWord || kind == Kind::kName; }
};

struct SqlStatement {
  std::string text;  // without the semicolon, and without what surrounds it
  std::vector<SqlToken> tokens;

  // Whether it begins with these words; "?" stands for an identifier.
  bool BeginsWith(std::initializer_list<std::string_view> words) const;
};

// As psql reads it with standard_conforming_strings on: comments are no part of a statement's
// tokens, and lines with psql's own commands (\restrict) between statements are skipped. A
// semicolon in parentheses ends nothing; bodies in BEGIN ATOMIC … END are not known. kInvalid when
// a quote never ends.
std::vector<SqlStatement> SplitSqlScript(std::string_view script);

}  // namespace pgbackup
