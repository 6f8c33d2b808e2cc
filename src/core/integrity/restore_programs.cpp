#include "core/integrity/restore_programs.h"

namespace pgbackup {

void CheckPgRestore(const Programs& programs, const Manifest& manifest,
                    const Cancellation& cancellation) {
  const ProgramVersion version = AskProgramVersion(programs, "pg_restore", cancellation);
  CheckProgramVersion("pg_restore", version,
                      ParseProgramVersion("(PostgreSQL) " + manifest.pg_dump_version).major,
                      "the pg_dump that made the backup");
}

}  // namespace pgbackup
