#include "core/dump/copy_lane.h"

#include <fmt/format.h>

#include <functional>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/dump/large_row.h"
#include "core/dump/read_session.h"
#include "core/postgres/postgres_connection.h"

namespace pgbackup {
namespace {

// What makes a range be read as a range: alone, by its pages.
constexpr const char* kSettings[] = {
    "SET synchronize_seqscans = off",
    "SET enable_seqscan = off",
    "SET max_parallel_workers_per_gather = 0",
};

// Renaming a schema locks no table, so that another table may get the name of one that is locked.
// What a name means is looked up in the catalogs as they are now, whatever the snapshot.
void CheckNameIsOf(PostgresConnection& connection, const QualifiedName& table,
                   const std::string& oid) {
  const QueryResult found = connection.Query("SELECT to_regclass($1) = $2::oid::regclass",
                                             {QuoteQualifiedName(table), oid});
  if (found.Flag(0, 0)) return;
  throw Error(ErrorKind::kBusy,
              fmt::format("table {} got another name during the backup", QuoteQualifiedName(table)),
              "", "Back up at a time without schema changes.");
}

// Reads what the statement gives of a table, as the run's snapshot shows it.
void ReadRows(const QualifiedName& table, const std::string& oid, const std::string& sql,
              const CopyLaneContext& context,
              const std::function<void(std::span<const std::byte>)>& take) {
  PostgresConnection connection(context.settings, context.cancellation);
  PrepareReadSession(connection);
  for (const char* setting : kSettings) connection.Execute(setting);
  BeginWithSnapshot(connection, context.snapshot);
  CheckNameIsOf(connection, table, oid);
  try {
    connection.CopyOut(sql, take);
  } catch (const Error& error) {
    throw LargeRowError(error, QuoteQualifiedName(table)).value_or(error);
  }
  CheckNameIsOf(connection, table, oid);
}

}  // namespace

std::string CopyRangeSql(const QualifiedName& table, const CopyRange& range,
                         const std::string& encoding) {
  std::string pages = fmt::format("ctid OPERATOR(pg_catalog.>=) '({},0)'", range.first_page);
  if (range.end_page)
    pages += fmt::format(" AND ctid OPERATOR(pg_catalog.<) '({},0)'", *range.end_page);
  return fmt::format("COPY (SELECT {} FROM ONLY {} WHERE {}) TO STDOUT WITH (ENCODING {})",
                     QuotedList(range.columns), QuoteQualifiedName(table), pages,
                     QuoteLiteral(encoding));
}

ManifestObject RunCopyLane(const DumpObject& object, const CopyLaneContext& context) {
  const QualifiedName& table = object.tables[0];
  LaneOutput output(object, context.output);
  context.output.progress.tables.Begin(table);
  try {
    output.sink().Write(AsBytes(CopyBegin(table, object.copy->columns, context.encoding)));
    RowFingerprinter rows;
    ReadRows(table, object.table_oid, CopyRangeSql(table, *object.copy, context.encoding), context,
             [&](std::span<const std::byte> row) {
               rows.Add(row);
               output.sink().Write(row);
             });
    output.sink().Write(AsBytes(kCopyEnd));
    output.SetFingerprints({{table, rows.Finish()}});
    ManifestObject stored = output.Finish();
    context.output.progress.tables.End(table);
    return stored;
  } catch (...) {
    output.Abort();
    throw;
  }
}

RowFingerprint ReadGenerated(const GeneratedPiece& piece, const CopyLaneContext& context) {
  RowFingerprinter rows;
  ReadRows(piece.table.name, piece.table.oid,
           CopyGeneratedSql(piece.table, piece.pages, context.encoding), context,
           [&](std::span<const std::byte> row) { rows.Add(row); });
  return rows.Finish();
}

}  // namespace pgbackup
