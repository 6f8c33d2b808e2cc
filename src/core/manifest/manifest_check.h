// What a manifest may say. Whoever can write to a storage can write one, so what was parsed is
// checked before anything is done with it.
#pragma once

#include "core/manifest/manifest.h"

namespace pgbackup {

// Throws kInvalid, naming what is wrong, unless
// - names of objects and of their segments lie in the backup's folder, and neither an object nor a
//   segment of it is there twice;
// - sizes, alone and together, are such that a database can count them;
// - times are RFC 3339, as written by FormatTimestamp where order matters;
// - texts are no longer than what they describe can be.
void CheckManifest(const Manifest& manifest);

}  // namespace pgbackup
