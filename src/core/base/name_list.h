// Names in messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgbackup {

// "a, b, c"; of many the first ones and "…".
std::string ListOfNames(const std::vector<std::string>& names);

bool DiffersOnlyByCase(std::string_view one, std::string_view other);

}  // namespace pgbackup
