// Points in time as other programs write them.
#pragma once

#include <optional>
#include <string_view>

#include "core/base/environment.h"

namespace pgbackup {

// "2011-07-11T19:55:29.611Z" and the like, with an offset instead of Z too; nullopt for nonsense.
std::optional<WallTime> ParseIsoTime(std::string_view text);

}  // namespace pgbackup
