// How an archive in custom format holds a text.
#pragma once

#include <string>
#include <string_view>

namespace pgbackup {

// A sign byte, the length in `integer_size` bytes (TocReader), the lowest first, and the text.
std::string ArchivedText(std::string_view text, int integer_size);

}  // namespace pgbackup
