// Queries in a confined session: what reads another role's view, or writes into another role's
// table, evaluates expressions of that role, so it calls nothing volatile with a superuser's
// rights.
#include "pg/confinement.h"

extern "C" {
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "utils/syscache.h"
}

namespace pgbackup {
namespace {

ExecutorStart_hook_type previous_start = nullptr;
ExecutorRun_hook_type previous_run = nullptr;
ExecutorFinish_hook_type previous_finish = nullptr;

bool IsForeign(Oid relation) {
  HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
  if (!HeapTupleIsValid(tuple)) return true;
  const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
  ReleaseSysCache(tuple);
  return !IsSuperuserRole(owner);
}

// The plan keeps an entry for each view that was expanded, for the sake of its permissions.
Authors AuthorsOf(const PlannedStmt& plan) {
  if (!plan.canSetTag) return Authors::kUnknown;  // added by a rule
  ListCell* cell;
  foreach (cell, plan.rtable) {
    const auto* entry = static_cast<const RangeTblEntry*>(lfirst(cell));
    if (OidIsValid(entry->relid) && entry->relkind == RELKIND_VIEW && IsForeign(entry->relid))
      return Authors::kUnknown;
  }
  foreach (cell, plan.resultRelations) {
    const auto* entry =
        static_cast<const RangeTblEntry*>(list_nth(plan.rtable, lfirst_int(cell) - 1));
    if (IsForeign(entry->relid)) return Authors::kUnknown;
  }
  return Authors::kTrusted;
}

// Of the client's statement; a session runs one at a time. See NoteForeignValues.
bool has_foreign_values = false;
int query_depth = 0;  // of queries within queries

// Runs a stage of a query with its authors, and puts back those before.
template <typename Stage>
void Run(const QueryDesc& query, const Stage& stage) {
  if (!IsConfined() || !HasSuperuserRights()) return stage();
  const Authors before =
      SetAuthors(has_foreign_values ? Authors::kUnknown : AuthorsOf(*query.plannedstmt));
  ++query_depth;
  PG_TRY();
  { stage(); }
  PG_FINALLY();
  {
    --query_depth;
    SetAuthors(before);
  }
  PG_END_TRY();
}

void OnStart(QueryDesc* query, int flags) {
  if (query_depth == 0) has_foreign_values = false;
  Run(*query,
      [&] { (previous_start != nullptr ? previous_start : standard_ExecutorStart)(query, flags); });
}

#if PG_VERSION_NUM >= 180000
void OnRun(QueryDesc* query, ScanDirection direction, uint64 count) {
  Run(*query, [&] {
    (previous_run != nullptr ? previous_run : standard_ExecutorRun)(query, direction, count);
  });
}
#else
void OnRun(QueryDesc* query, ScanDirection direction, uint64 count, bool once) {
  Run(*query, [&] {
    (previous_run != nullptr ? previous_run : standard_ExecutorRun)(query, direction, count, once);
  });
}
#endif

// Fires AFTER triggers.
void OnFinish(QueryDesc* query) {
  Run(*query,
      [&] { (previous_finish != nullptr ? previous_finish : standard_ExecutorFinish)(query); });
}

}  // namespace

void NoteForeignValues() {
  has_foreign_values = true;
}

void ConfineQueries() {
  previous_start = ExecutorStart_hook;
  ExecutorStart_hook = OnStart;
  previous_run = ExecutorRun_hook;
  ExecutorRun_hook = OnRun;
  previous_finish = ExecutorFinish_hook;
  ExecutorFinish_hook = OnFinish;
}

}  // namespace pgbackup
