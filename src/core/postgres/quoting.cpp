#include "core/postgres/quoting.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "shared/ascii.h"

namespace pgbackup {
namespace {

std::string Doubled(std::string_view text, char quote, bool and_backslash) {
  std::string doubled;
  doubled.reserve(text.size() + 2);
  for (const char c : text) {
    if (c == quote || (and_backslash && c == '\\')) doubled += c;
    doubled += c;
  }
  return doubled;
}

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

void SkipSpaces(std::string_view* text) {
  while (!text->empty() && IsSpace(text->front())) text->remove_prefix(1);
}

bool TakeName(std::string_view* text, std::string* name) {
  SkipSpaces(text);
  if (text->empty()) return false;
  if (text->front() == '"') {
    if (!TakeQuotedIdentifier(text, name)) return false;
  } else {
    while (!text->empty() && IsNameCharacter(text->front(), name->empty())) {
      const char c = text->front();
      *name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      text->remove_prefix(1);
    }
  }
  SkipSpaces(text);
  return !name->empty();
}

}  // namespace

bool TakeQuotedIdentifier(std::string_view* text, std::string* name) {
  size_t i = 1;
  for (; i < text->size(); ++i) {
    if ((*text)[i] == '"') {
      if (i + 1 >= text->size() || (*text)[i + 1] != '"') break;
      ++i;
    }
    *name += (*text)[i];
  }
  if (i >= text->size()) return false;
  text->remove_prefix(i + 1);
  return true;
}

bool IsNameCharacter(char c, bool first) noexcept {
  if (c == '_' || IsLetter(c) || (c & 0x80) != 0) return true;
  return !first && (IsDigit(c) || c == '$');
}

std::string QuoteIdentifier(std::string_view name) {
  return fmt::format("\"{}\"", Doubled(name, '"', false));
}

std::string QuotedList(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + QuoteIdentifier(name);
  return list;
}

std::string QuoteLiteral(std::string_view value) {
  const bool escapes = value.find('\\') != std::string_view::npos;
  return fmt::format("{}'{}'", escapes ? "E" : "", Doubled(value, '\'', escapes));
}

std::string QuoteConninfoValue(std::string_view value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

std::vector<std::string> SplitIdentifierList(std::string_view list) {
  std::vector<std::string> elements;
  SkipSpaces(&list);
  while (!list.empty()) {
    std::string element;
    if (list.front() != '"' || !TakeQuotedIdentifier(&list, &element)) {
      const size_t comma = list.find(',');
      std::string_view plain = list.substr(0, comma);
      list.remove_prefix(plain.size());
      while (!plain.empty() && IsSpace(plain.back())) plain.remove_suffix(1);
      element = plain;
    }
    elements.push_back(std::move(element));
    SkipSpaces(&list);
    if (!list.empty() && list.front() == ',') list.remove_prefix(1);
    SkipSpaces(&list);
  }
  return elements;
}

QualifiedName ParseQualifiedName(std::string_view text, std::string_view option) {
  QualifiedName name;
  std::string_view rest = text;
  if (TakeName(&rest, &name.schema) && !rest.empty() && rest.front() == '.') {
    rest.remove_prefix(1);
    if (TakeName(&rest, &name.name) && rest.empty()) return name;
  }
  throw Error(ErrorKind::kInvalid, fmt::format("\"{}\" in {} is not a table name", text, option),
              "A table is named with its schema.",
              "Write schema.table, with double quotes around a part that needs them in SQL.");
}

std::string QuoteQualifiedName(const QualifiedName& name) {
  return fmt::format("{}.{}", QuoteIdentifier(name.schema), QuoteIdentifier(name.name));
}

}  // namespace pgbackup
