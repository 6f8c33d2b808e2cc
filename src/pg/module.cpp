// What the server loads: checks that it is preloaded, defines settings, registers the launcher.
#include "pg/confinement.h"
#include "pg/launcher.h"
#include "pg/library_file.h"
#include "pg/settings.h"
#include "pg/shared_state.h"

extern "C" {
#include "catalog/objectaccess.h"
#include "catalog/pg_extension.h"
}

namespace {

object_access_hook_type previous_access_hook = nullptr;

// The launcher ends its agents when the extension is dropped, so it must hear of it.
void OnObjectAccess(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void* arg) {
  if (previous_access_hook != nullptr)
    previous_access_hook(access, class_id, object_id, sub_id, arg);
  if (access == OAT_DROP && class_id == ExtensionRelationId) pgbackup::WakeLauncherAtCommit();
}

}  // namespace

extern "C" {
PG_MODULE_MAGIC;
PGDLLEXPORT void _PG_init(void);

void _PG_init(void) {
  // Loaded by CREATE EXTENSION or a function in a server that does not preload it: the functions
  // say so themselves, with the line to add.
  if (!process_shared_preload_libraries_in_progress) return;
  pgbackup::DefineConfinement();
  pgbackup::DefineSettings();
  if (IsBinaryUpgrade) return;
  pgbackup::RememberLibraryFile();
  pgbackup::RequestSharedState();
  previous_access_hook = object_access_hook;
  object_access_hook = OnObjectAccess;
  pgbackup::RegisterLauncherWorker();
}
}
