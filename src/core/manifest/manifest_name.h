// The objects that make a folder a backup's: the one that is written first and deleted last, and
// the one that is written last and deleted first; and what may come later.
#pragma once

#include <string_view>

namespace pgbackup {

// Says which run the folder belongs to (core/ownership/claim.h).
inline constexpr std::string_view kClaimName = "claim.json";

// Says what the backup is made of (manifest.h). A backup without it does not exist.
inline constexpr std::string_view kManifestName = "manifest.json";

// Says what a catalog knows of the backup since (marks.h).
inline constexpr std::string_view kMarksName = "marks.json";

}  // namespace pgbackup
