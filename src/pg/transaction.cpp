#include "pg/transaction.h"

#include "pg/launcher_trouble.h"
#include "pg/trusted_catalog.h"

namespace pgbackup {
namespace {

// In a transaction of the launcher: there is no extension, so a schema of its name is anybody's.
bool catalog_is_missing = false;

void RequireCatalog() {
  if (catalog_is_missing)
    ereport(ERROR, (errcode(ERRCODE_CANNOT_CONNECT_NOW),
                    errmsg("extension \"pgbackup\" does not exist in the home database")));
}

uint64 Processed(int result) {
  if (result < 0) elog(ERROR, "SPI failed: %s", SPI_result_code_string(result));
  return SPI_processed;
}

// Whether an error has nothing to do with the row that was worked on.
bool IsOfServer(int sqlstate) {
  switch (ERRCODE_TO_CATEGORY(sqlstate)) {
    case ERRCODE_CONNECTION_EXCEPTION:
    case ERRCODE_TRANSACTION_ROLLBACK:
    case ERRCODE_INSUFFICIENT_RESOURCES:
    case ERRCODE_OPERATOR_INTERVENTION:
    case ERRCODE_SYSTEM_ERROR:
    case ERRCODE_INTERNAL_ERROR:
      return true;
    default:
      return sqlstate == ERRCODE_LOCK_NOT_AVAILABLE ||
             sqlstate == ERRCODE_READ_ONLY_SQL_TRANSACTION;
  }
}

// Of the error that is being handled, in `context`.
void Note(MemoryContext context, RowError* error) {
  MemoryContextSwitchTo(context);
  ErrorData* data = CopyErrorData();
  if (error != nullptr && !IsOfServer(data->sqlerrcode)) {
    error->is_set = true;
    strlcpy(error->sqlstate, unpack_sql_state(data->sqlerrcode), sizeof error->sqlstate);
    const int length = static_cast<int>(strlen(data->message));
    strlcpy(error->message, data->message,
            pg_mbcliplen(data->message, length, sizeof error->message - 1) + 1);
  } else if (NoteTrouble(data->message)) {
    EmitErrorReport();
  }
  FreeErrorData(data);
}

}  // namespace

bool RunInTransaction(void (*work)(void* arg), void* arg, RowError* error) {
  MemoryContext caller = CurrentMemoryContext;
  volatile bool done = false;
  PG_TRY();
  {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    PushActiveSnapshot(GetTransactionSnapshot());
    if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "could not connect to SPI");
    catalog_is_missing = !CatalogIsTrusted();
    work(arg);
    SPI_finish();
    PopActiveSnapshot();
    CommitTransactionCommand();
    pgstat_report_stat(true);
    done = true;
  }
  PG_CATCH();
  {
    // A cancel request raises an error that the next transaction must not see again.
    QueryCancelPending = false;
    Note(caller, error);
    AbortCurrentTransaction();
    MemoryContextSwitchTo(caller);
    FlushErrorState();
  }
  PG_END_TRY();
  catalog_is_missing = false;
  MemoryContextSwitchTo(caller);
  return done;
}

uint64 ExecuteSql(const char* sql, const SqlArguments& arguments) {
  RequireCatalog();
  return Processed(SPI_execute_with_args(sql, arguments.count_, const_cast<Oid*>(arguments.types_),
                                         const_cast<Datum*>(arguments.values_), arguments.nulls_,
                                         false, 0));
}

uint64 ExecuteSql(const char* sql) {
  return ExecuteSql(sql, SqlArguments());
}

uint64 PreparedSql::Execute(const SqlArguments& arguments) {
  RequireCatalog();
  if (plan_ == nullptr) {
    SPIPlanPtr plan = SPI_prepare(sql_, arguments.count_, const_cast<Oid*>(arguments.types_));
    if (plan == nullptr) elog(ERROR, "SPI failed: %s", SPI_result_code_string(SPI_result));
    SPI_keepplan(plan);
    plan_ = plan;
  }
  return Processed(
      SPI_execute_plan(plan_, const_cast<Datum*>(arguments.values_), arguments.nulls_, false, 0));
}

char* TextOfRow(uint64 row, int column) {
  return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column + 1);
}

Datum ValueOfRow(uint64 row, int column, bool* is_null) {
  return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column + 1, is_null);
}

int64 Int8OfRow(uint64 row, int column) {
  bool is_null = false;
  const Datum value = ValueOfRow(row, column, &is_null);
  return is_null ? 0 : DatumGetInt64(value);
}

}  // namespace pgbackup
