// What a catalog has said of a backup since its manifest was stored: that it is pinned, and what
// has been proved of it. An object beside the manifest, written anew whenever that changes, so that
// a catalog that is made new can take it over (docs/storage-format.md).
//
// Whoever can write to the storage can write one. It is believed as manifests are: with a MAC where
// keys are set. It names the manifest's SHA-256 and the folder, so one that is signed is worth
// nothing beside another backup.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/environment.h"
#include "core/manifest/manifest_key.h"
#include "core/manifest/manifest_mac.h"
#include "core/storage/storage.h"

namespace pgbackup {

struct Marks {
  std::string file_name;  // the backup's folder
  std::string checksum;   // SHA-256 of its manifest, in hexadecimal
  bool pinned = false;
  std::string verified_at;     // RFC 3339 in UTC; empty: never
  std::string verified_level;  // checksum, archive or restore; empty: never
  std::string changed_at;      // RFC 3339 in UTC

  bool SayNothing() const noexcept { return !pinned && verified_at.empty(); }
};

// The object's bytes, signed unless `keys` is null. kInvalid for what ParseMarks would refuse.
std::string MarksText(const Marks& marks, const ManifestKeys* keys);

// kInvalid unless `text` is one that MarksText may have written, in a version that is known. The
// MAC is not looked at.
Marks ParseMarks(std::string_view text);

std::string MarksObjectName(const std::string& folder);

// What is believed.
struct MarksRules {
  const ManifestKeys* keys = nullptr;  // null: nothing is signed or checked
  bool allow_unsigned = false;
  std::optional<WallTime> latest = {};  // what names a later time is not; none: any time
};

struct FoundMarks {
  std::optional<Marks> marks;  // none: there are none, or they are not believed
  std::string ignored;         // why not
};

// The marks of the backup in `folder` whose manifest has `checksum`. Whatever lies there instead of
// them is ignored; trouble with the storage itself is thrown.
FoundMarks ReadMarks(Storage& storage, const std::string& folder, const std::string& checksum,
                     const MarksRules& rules);

}  // namespace pgbackup
