#include "cli/rights_warning.h"

#include "core/postgres/session_rights.h"

namespace pgbackup {

void WarnOfSuperuserRights(const ServerAddress& server, const RunContext& context) {
  try {
    PostgresConnection connection(SettingsFor(server, server.maintenance_database),
                                  context.cancellation);
    if (!LendsSuperuserRights(ReadSessionRights(connection))) return;
  } catch (const Error&) {
    return;
  }
  context.log(
      "warning: functions and CHECK constraints in the backup are evaluated with superuser rights");
  context.log(
      "hint: Restore only backups whose database owners you trust, or install pgbackup in the "
      "server and add it to shared_preload_libraries, or restore with --username as a role that "
      "has only CREATEDB.");
}

}  // namespace pgbackup
