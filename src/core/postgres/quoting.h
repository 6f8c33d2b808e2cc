// Names and values written into SQL, patterns and connection strings.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace pgbackup {

// "name", every '"' doubled. Always quoted.
std::string QuoteIdentifier(std::string_view name);

// Identifiers with commas between, as in a list of columns.
std::string QuotedList(const std::vector<std::string>& names);

// 'value' or, when it holds a backslash, E'value'; right whatever standard_conforming_strings is.
std::string QuoteLiteral(std::string_view value);

// 'value' for a libpq connection string: '\' and ''' get a backslash.
std::string QuoteConninfoValue(std::string_view value);

// The elements of a list as PostgreSQL stores it in a setting such as search_path:
// `"$user", public`. Inverse of the server's quoting; unquoted elements are taken as they are.
std::vector<std::string> SplitIdentifierList(std::string_view list);

// A character of an unquoted identifier: letters, digits, '_', '$' and everything beyond ASCII.
bool IsNameCharacter(char c, bool first) noexcept;

// Takes a quoted identifier off the start of `text`, which begins with '"', and appends what it
// names to `name`. False, with `text` as it was, when it never ends.
bool TakeQuotedIdentifier(std::string_view* text, std::string* name);

// schema.table
struct QualifiedName {
  std::string schema;
  std::string name;
  auto operator<=>(const QualifiedName&) const = default;
};

// Reads `schema.table` as SQL would: unquoted parts fold to lower case, quoted ones stay. kInvalid
// unless there are exactly two parts. `option` names where the text comes from, for the message.
QualifiedName ParseQualifiedName(std::string_view text, std::string_view option);

// "schema"."table": SQL, and a pattern of pg_dump that selects exactly this table.
std::string QuoteQualifiedName(const QualifiedName& name);

}  // namespace pgbackup
