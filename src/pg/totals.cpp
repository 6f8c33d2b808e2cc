#include "pg/totals.h"

#include "pg/transaction.h"

namespace pgbackup {
namespace {

constexpr int kAtOnce = 2;  // databases

}  // namespace

void RecountBackups(const NameData* database) {
  static constinit PreparedSql recount("SELECT pgbackup._recount($1)");
  recount.Execute(SqlArguments().Add(NAMEOID, NameGetDatum(database)));
}

bool RecountChanged() {
  static constinit PreparedSql recount("SELECT pgbackup._recount_changed($1)");
  recount.Execute(SqlArguments().Int4(kAtOnce));
  return Int8OfRow(0, 0) == kAtOnce;
}

}  // namespace pgbackup
