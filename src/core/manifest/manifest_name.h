// The object that is written last and deleted first.
#pragma once

#include <string_view>

namespace pgbackup {

inline constexpr std::string_view kManifestName = "manifest.json";

}  // namespace pgbackup
