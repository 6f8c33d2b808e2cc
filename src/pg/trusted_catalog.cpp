#include <initializer_list>

#include "pg/trusted_catalog.h"

#include "pg/transaction.h"

extern "C" {
#include "catalog/pg_extension.h"
#include "storage/lmgr.h"
#include "utils/inval.h"
#include "utils/syscache.h"
}

namespace pgbackup {
namespace {

// The bootstrap superuser counts as one whatever its attributes are: the launcher runs as it.
constexpr const char* kForeignSql =
    "WITH s AS (SELECT n.oid, n.nspowner FROM pg_namespace n WHERE n.nspname = 'pgbackup'), "
    "owned AS (SELECT 'pg_namespace'::regclass AS catalog, s.oid, s.nspowner AS owner FROM s "
    "UNION ALL SELECT 'pg_class'::regclass, c.oid, c.relowner FROM pg_class c "
    "WHERE c.relnamespace = (SELECT s.oid FROM s) AND c.relkind NOT IN ('i', 'I') "
    "UNION ALL SELECT 'pg_proc'::regclass, p.oid, p.proowner FROM pg_proc p "
    "WHERE p.pronamespace = (SELECT s.oid FROM s) OR p.oid IN (SELECT t.tgfoid FROM pg_trigger t "
    "JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = (SELECT s.oid FROM s)) "
    "UNION ALL SELECT 'pg_type'::regclass, t.oid, t.typowner FROM pg_type t "
    "WHERE t.typnamespace = (SELECT s.oid FROM s)) "
    "SELECT pg_describe_object(o.catalog, o.oid, 0), pg_get_userbyid(o.owner) FROM owned o "
    "WHERE o.owner <> 10 AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = o.owner "
    "AND r.rolsuper) ORDER BY o.catalog = 'pg_proc'::regclass DESC, o.oid LIMIT 1";

bool is_watching = false;
bool is_known = false;  // that all of it is a superuser's
Oid known_extension = InvalidOid;

void OnChange(Datum /*arg*/, int /*cache*/, uint32 /*hash*/) {
  is_known = false;
}

void OnRelationChange(Datum /*arg*/, Oid /*relation*/) {
  is_known = false;
}

void Watch() {
  if (is_watching) return;
  for (const int cache : {AUTHOID, PROCOID, NAMESPACEOID, TYPEOID})
    CacheRegisterSyscacheCallback(cache, OnChange, static_cast<Datum>(0));
  CacheRegisterRelcacheCallback(OnRelationChange, static_cast<Datum>(0));
  is_watching = true;
}

// Keeps the extension from being dropped, and what is not its own from taking its place.
Oid LockExtension() {
  for (;;) {
    Oid extension = get_extension_oid("pgbackup", true);
    if (!OidIsValid(extension)) return extension;
    LockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock);
    if (get_extension_oid("pgbackup", true) == extension) return extension;
  }
}

}  // namespace

bool CatalogIsTrusted() {
  Watch();
  const Oid extension = LockExtension();
  if (!OidIsValid(extension)) return false;
  if (is_known && extension == known_extension) return true;
  // Before the query: what changes while it runs is looked at once more.
  is_known = true;
  known_extension = extension;
  if (ExecuteSql(kForeignSql) == 0) return true;
  is_known = false;
  ereport(ERROR,
          (errcode(ERRCODE_OPERATOR_INTERVENTION),
           errmsg("%s belongs to role \"%s\", which is not a superuser, so the launcher runs "
                  "nothing of pgbackup",
                  TextOfRow(0, 0), TextOfRow(0, 1)),
           errdetail("That role could have the launcher do, as a superuser, whatever it likes."),
           errhint("If nobody has changed it, have a superuser own it: ALTER ... OWNER TO. "
                   "Otherwise DROP EXTENSION pgbackup, create it anew, and SELECT "
                   "pgbackup.import().")));
}

}  // namespace pgbackup
