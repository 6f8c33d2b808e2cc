#include "pg/caller.h"

namespace pgbackup {

void RefuseRestrictedOperation() {
  if (!InSecurityRestrictedOperation()) return;
  ereport(ERROR,
          (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
           errmsg("cannot use pgbackup within a security-restricted operation"),
           errdetail("The server is evaluating an expression as the owner of a table or another "
                     "object, for example for ANALYZE, REINDEX or REFRESH MATERIALIZED VIEW."),
           errhint("Do not call functions of pgbackup in expressions of indexes or in "
                   "materialized views.")));
}

Oid CallerId() {
  RefuseRestrictedOperation();
  return GetOuterUserId();
}

}  // namespace pgbackup
