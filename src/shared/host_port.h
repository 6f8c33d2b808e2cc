// The two parts of a network address as they stand in URLs and settings (RFC 3986, section 3.2).
#pragma once

#include <algorithm>
#include <string_view>

#include "shared/ascii.h"

namespace pgbackup {

// A name, an IPv4 address, or an IPv6 address in brackets.
constexpr bool IsHost(std::string_view host) noexcept {
  const bool is_ipv6 = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (is_ipv6) host = host.substr(1, host.size() - 2);
  for (const char c : host)
    if (!IsDigit(c) && !IsLetter(c) && c != '.' && (is_ipv6 ? c != ':' : c != '-' && c != '_'))
      return false;
  return !host.empty();
}

// A decimal number between 1 and 65535 of at most five digits.
constexpr bool IsPort(std::string_view port) noexcept {
  if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), IsDigit))
    return false;
  int number = 0;
  for (const char c : port) number = number * 10 + (c - '0');
  return number >= 1 && number <= 65535;
}

}  // namespace pgbackup
