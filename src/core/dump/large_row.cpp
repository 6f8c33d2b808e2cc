#include "core/dump/large_row.h"

#include <fmt/format.h>

#include <regex>

namespace pgbackup {
namespace {

// How many bytes were asked for; none when the words say something else.
std::optional<uint64_t> BytesAskedFor(const std::string& words) {
  static const std::regex allocation("invalid memory alloc request size ([0-9]{1,18})");
  static const std::regex buffer(
      "Cannot enlarge string buffer containing ([0-9]{1,18}) bytes by ([0-9]{1,18}) more bytes");
  std::smatch found;
  if (std::regex_search(words, found, allocation)) return std::stoull(found[1]);
  if (std::regex_search(words, found, buffer)) return std::stoull(found[1]) + std::stoull(found[2]);
  return std::nullopt;
}

// In pg_dump's words about its statement COPY table (columns) TO stdout.
std::string TableIn(const std::string& words) {
  constexpr std::string_view kBefore = "ommand was: COPY ";
  const size_t at = words.find(kBefore);
  if (at == std::string::npos) return "";
  const size_t from = at + kBefore.size();
  bool is_quoted = false;
  for (size_t end = from; end < words.size(); ++end) {
    if (words[end] == '"') is_quoted = !is_quoted;
    if (!is_quoted && words[end] == ' ') return words.substr(from, end - from);
  }
  return "";
}

}  // namespace

std::optional<Error> LargeRowError(const Error& error, const std::string& table) {
  if (error.kind() != ErrorKind::kTool && error.kind() != ErrorKind::kDatabase) return std::nullopt;
  const std::string words = error.message() + "\n" + error.detail();
  const std::optional<uint64_t> bytes = BytesAskedFor(words);
  const std::string name = table.empty() ? TableIn(words) : table;
  if (!bytes || name.empty()) return std::nullopt;
  return Error(error.kind(), fmt::format("table {} has a row that the server cannot send", name),
               fmt::format("A row may take 1 GB as text; this one takes {} bytes or more. {}",
                           *bytes, words),
               "Leave the table's rows out with exclude_table_data, or shorten that row: ORDER BY "
               "octet_length(column) DESC NULLS LAST finds it.");
}

}  // namespace pgbackup
