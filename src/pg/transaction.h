// Transactions of the launcher, and short ways to run SQL through SPI.
#pragma once

#include "pg/server.h"

namespace pgbackup {

// An error of what a transaction worked on.
struct RowError {
  bool is_set;
  char sqlstate[6];
  char message[512];
};

// Runs `work` in a transaction of its own with SPI connected and a snapshot set. An error inside
// rolls back and makes this return false. Memory that `work` palloc's is gone afterwards; results
// go where `arg` points. For the launcher only: not inside another transaction.
//
// `work` is not called when something that it may run is not a superuser's (trusted_catalog.h);
// when there is no extension, it is, but cannot run SQL.
//
// With `error`, the caller can do without the row that `work` was about: an error that may come
// from that row goes there, and nowhere else. Any other is the launcher's trouble
// (launcher_trouble.h), and logged as that says.
bool RunInTransaction(void (*work)(void* arg), void* arg, RowError* error = nullptr);

// Arguments $1, $2, … of a statement.
class SqlArguments {
 public:
  static constexpr int kMax = 32;

  SqlArguments& Add(Oid type, Datum value) { return Append(type, value, ' '); }
  SqlArguments& Int8(int64 value) { return Add(INT8OID, Int64GetDatum(value)); }
  SqlArguments& Int4(int32 value) { return Add(INT4OID, Int32GetDatum(value)); }
  SqlArguments& Bool(bool value) { return Add(BOOLOID, BoolGetDatum(value)); }
  SqlArguments& Time(TimestampTz value) { return Add(TIMESTAMPTZOID, TimestampTzGetDatum(value)); }
  SqlArguments& AddNull(Oid type) { return Append(type, static_cast<Datum>(0), 'n'); }
  // nullptr is NULL.
  SqlArguments& Text(const char* value) {
    return value == nullptr ? AddNull(TEXTOID) : Add(TEXTOID, CStringGetTextDatum(value));
  }

 private:
  friend uint64 ExecuteSql(const char* sql, const SqlArguments& arguments);
  friend class PreparedSql;
  SqlArguments& Append(Oid type, Datum value, char null) {
    if (count_ == kMax) elog(ERROR, "too many arguments of a statement");
    types_[count_] = type;
    values_[count_] = value;
    nulls_[count_] = null;
    ++count_;
    return *this;
  }
  int count_ = 0;
  Oid types_[kMax];
  Datum values_[kMax];
  char nulls_[kMax];
};

// Runs one statement with a fresh snapshot; returns the number of rows. Errors are raised.
uint64 ExecuteSql(const char* sql, const SqlArguments& arguments);
uint64 ExecuteSql(const char* sql);

// A statement that the launcher runs over and over: parsed and planned once, and anew when what it
// names has changed. An object lives as long as the process, and `sql` at least as long.
class PreparedSql {
 public:
  constexpr explicit PreparedSql(const char* sql) : sql_(sql) {}
  PreparedSql(const PreparedSql&) = delete;
  PreparedSql& operator=(const PreparedSql&) = delete;

  // As ExecuteSql. The types of the arguments are always those of the first time.
  uint64 Execute(const SqlArguments& arguments);
  uint64 Execute() { return Execute(SqlArguments()); }

 private:
  const char* const sql_;
  SPIPlanPtr plan_ = nullptr;
};

// A column (from 0) of a row of the last ExecuteSql. Text is palloc'd, nullptr for NULL.
char* TextOfRow(uint64 row, int column);
Datum ValueOfRow(uint64 row, int column, bool* is_null);
int64 Int8OfRow(uint64 row, int column);  // 0 for NULL

}  // namespace pgbackup
