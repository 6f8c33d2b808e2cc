// Comments in SQL.
#pragma once

#include <string_view>

namespace pgbackup {

// What follows the block comment at the beginning of `text`, which may hold others; nothing when it
// never ends.
std::string_view AfterBlockComment(std::string_view text);

}  // namespace pgbackup
