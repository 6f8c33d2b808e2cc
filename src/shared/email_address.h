// Addresses of e-mail as settings and files name them: plain ones, local@domain. Neither allocates
// nor throws, for the server module too.
#pragma once

#include <string_view>

#include "shared/trim.h"

namespace pgbackup {

// Whether this is local@domain of printable ASCII, without blanks and what could end a header or an
// address: quotes, brackets, commas, colons, semicolons.
constexpr bool IsEmailAddress(std::string_view text) noexcept {
  const size_t at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == text.size() || text.size() > 254 ||
      text.find('@', at + 1) != std::string_view::npos || text.front() == '-')
    return false;
  for (const char c : text)
    if (c <= ' ' || c >= '\x7f' ||
        std::string_view("\"'<>()[],;:\\`|").find(c) != std::string_view::npos)
      return false;
  return true;
}

// Calls `take` with each element of a list separated by commas, trimmed. False as soon as one is
// no address.
template <typename Take>
constexpr bool ForEachAddress(std::string_view list, Take take) {
  for (;;) {
    const size_t comma = list.find(',');
    const std::string_view address = TrimBlanks(list.substr(0, comma));
    if (!IsEmailAddress(address)) return false;
    take(address);
    if (comma == std::string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace pgbackup
