// The programs that read a backup.
#pragma once

#include "core/base/cancellation.h"
#include "core/manifest/manifest.h"
#include "core/process/program.h"

namespace pgbackup {

// Throws kInvalid unless pg_restore is as new as the pg_dump that made the backup.
void CheckPgRestore(const Programs& programs, const Manifest& manifest,
                    const Cancellation& cancellation);

}  // namespace pgbackup
