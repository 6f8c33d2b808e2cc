#include "core/base/name_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/ascii.h"

namespace pgbackup {

constexpr size_t kMostNames = 20;  // that a message lists

std::string ListOfNames(const std::vector<std::string>& names) {
  std::string list;
  for (size_t i = 0; i < names.size() && i < kMostNames; ++i)
    list += fmt::format("{}{}", i == 0 ? "" : ", ", names[i]);
  if (names.size() > kMostNames) list += ", …";
  return list;
}

bool DiffersOnlyByCase(std::string_view one, std::string_view other) {
  return one != other && std::equal(one.begin(), one.end(), other.begin(), other.end(),
                                    [](char a, char b) { return AsciiLower(a) == AsciiLower(b); });
}

}  // namespace pgbackup
