// A storage that does not exist, in contrast to one without backups.
#pragma once

#include "core/storage/storage.h"

namespace pgbackup {

// Throws kNotFound when `storage`, in which no backup was found, does not exist: a directory that
// is missing, a prefix of a bucket below which nothing lies. Names what lies around it.
void CheckIsThere(Storage& storage);

}  // namespace pgbackup
