#include "core/restore/compare/row_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "core/base/lanes.h"
#include "core/base/utf8.h"
#include "core/dump/generated_columns.h"
#include "core/dump/read_session.h"
#include "core/fingerprint/large_object_fingerprint.h"
#include "core/postgres/content_settings.h"
#include "core/restore/compare/large_object_check.h"
#include "core/restore/plan/archive_names.h"
#include "core/restore/plan/stored_toc.h"

namespace pgbackup {
namespace {

constexpr size_t kMostNamed = 10;

// A table to read, and the COPY that gives its rows as they were dumped.
struct TableToRead {
  std::string name;  // for people
  RowFingerprint expected;
  std::string copy;
  std::string copy_encoding;  // of that text
  bool has_generated = false;
  bool is_counted_only = false;
};

// Those of partitions that are copied into the table at their root.
struct MovingRows {
  std::string columns;
  std::vector<std::string> partitions;  // literals
  RowFingerprint expected;
  bool is_alike = true;
};

std::set<QualifiedName> TablesOfExtensions(PostgresConnection& connection) {
  const QueryResult tables = connection.Query(
      "SELECT n.nspname, c.relname FROM pg_depend d JOIN pg_class c ON c.oid = d.objid "
      "JOIN pg_namespace n ON n.oid = c.relnamespace "
      "WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e'");
  std::set<QualifiedName> names;
  for (int row = 0; row < tables.rows(); ++row)
    names.insert({tables.Text(row, 0), tables.Text(row, 1)});
  return names;
}

class RowCheck {
 public:
  explicit RowCheck(const RowCheckContext& context) : context_(context) {}

  uint64_t Run();

 private:
  void Plan();
  void PlanArchive(const ManifestObject& object, const ArchiveNames& names);
  void PlanRange(const ManifestObject& object);
  void PlanGenerated(PostgresConnection& connection);
  void PlanEntry(const TocEntry& entry, const QualifiedName& name);
  void PlanMovingRows();
  bool IsNew(const QualifiedName& name) { return planned_.insert(name).second; }
  void ReadSome();
  void CompareLargeObjects();
  void Compare(PostgresConnection& connection, const TableToRead& table);
  static std::string InWords(const std::vector<std::string>& differences);
  void ThrowDifferences() const;

  const RowCheckContext& context_;
  std::set<QualifiedName> planned_;           // and what is left out
  std::map<std::string, MovingRows> moving_;  // by the table that they are copied into
  std::vector<TableToRead> tables_;
  std::atomic<size_t> next_{0};
  std::mutex mutex_;
  std::vector<std::string> differences_;
  std::vector<std::string> generated_;  // differences, of generated columns only
  uint64_t compared_ = 0;               // tables
};

void RowCheck::Plan() {
  PostgresConnection connection(context_.settings, context_.run.cancellation);
  planned_ = TablesOfExtensions(connection);
  planned_.insert(context_.left_out.begin(), context_.left_out.end());
  const auto names = NamesInArchives(connection, context_.manifest);
  for (const ManifestObject& object : context_.manifest.objects) {
    if (object.kind == ObjectKind::kArchive) PlanArchive(object, names);
    if (object.kind == ObjectKind::kCopy) PlanRange(object);
  }
  PlanMovingRows();
  compared_ = tables_.size();
  PlanGenerated(connection);
}

// Of another major version, built-in functions may give other values, too: dictionaries of the text
// search do.
void RowCheck::PlanGenerated(PostgresConnection& connection) {
  if (connection.server_major() != context_.manifest.cluster.server_version_num / 10000) return;
  FingerprintList missing = context_.manifest.generated;
  for (const GeneratedTable& table : ListGeneratedTables(connection)) {
    const auto found = missing.find({ToValidUtf8(table.name.schema), ToValidUtf8(table.name.name)});
    if (found == missing.end()) continue;
    tables_.push_back({QuoteQualifiedName(table.name), found->second,
                       CopyGeneratedSql(table, {}, context_.manifest.properties.encoding), "UTF8",
                       true});
    missing.erase(found);
  }
  for (const auto& [name, expected] : missing)
    differences_.push_back(
        fmt::format("{}: it has no generated columns", QuoteQualifiedName(name)));
}

void RowCheck::PlanArchive(const ManifestObject& object, const ArchiveNames& names) {
  const ArchiveToc toc = ReadStoredToc(context_.storage, context_.manifest.file_name, object);
  for (const TocEntry& entry : toc.entries) {
    const auto name = names.find({entry.schema, entry.tag});
    if (entry.kind == "TABLE DATA" && name != names.end() && IsNew(name->second))
      PlanEntry(entry, name->second);
  }
}

// Rows of a partition that find it anew when they are restored are compared with those of all such
// partitions of the table that they are copied into. It can have others, too, whose rows stay where
// they are.
void RowCheck::PlanEntry(const TocEntry& entry, const QualifiedName& name) {
  const ArchiveCopy copy = ParseArchiveCopy(entry.copy);
  const QualifiedName partition = {entry.schema, entry.tag};
  const RowFingerprint expected = context_.manifest.fingerprints.at(name);
  if (ParseQualifiedName(copy.target, "an archive") == partition) {
    tables_.push_back({QuoteQualifiedName(name), expected,
                       fmt::format("COPY {} {} TO STDOUT", copy.target, copy.columns),
                       context_.manifest.properties.encoding});
    return;
  }
  const auto [moving, is_first] = moving_.try_emplace(copy.target);
  MovingRows& rows = moving->second;
  if (is_first) rows.columns = copy.columns.substr(1, copy.columns.size() - 2);
  if (copy.columns != "(" + rows.columns + ")") rows.is_alike = false;
  rows.expected += expected;
  rows.partitions.push_back(QuoteLiteral(QuoteQualifiedName(partition)));
}

// Of partitions with their columns in different orders, the rows are counted only: the same row has
// another fingerprint in each of them.
void RowCheck::PlanMovingRows() {
  for (auto& [table, rows] : moving_)
    tables_.push_back(
        {table, rows.expected,
         fmt::format("COPY (SELECT {} FROM {} WHERE tableoid IN (SELECT "
                     "pg_catalog.to_regclass(p) FROM pg_catalog.unnest(ARRAY[{}]) p)) "
                     "TO STDOUT",
                     rows.columns, table, fmt::join(rows.partitions, ", ")),
         context_.manifest.properties.encoding, false, !rows.is_alike});
}

void RowCheck::PlanRange(const ManifestObject& object) {
  const QualifiedName& name = object.tables[0];
  const auto expected = context_.manifest.fingerprints.find(name);
  if (expected == context_.manifest.fingerprints.end() || !IsNew(name)) return;
  tables_.push_back({QuoteQualifiedName(name), expected->second,
                     fmt::format("COPY {} ({}) TO STDOUT WITH (ENCODING {})",
                                 QuoteQualifiedName(name), QuotedList(object.copy->columns),
                                 QuoteLiteral(context_.manifest.properties.encoding)),
                     "UTF8"});
}

void RowCheck::Compare(PostgresConnection& connection, const TableToRead& table) {
  connection.Execute("SET client_encoding = " + QuoteLiteral(table.copy_encoding));
  RowFingerprinter rows;
  connection.CopyOut(table.copy, [&](std::span<const std::byte> row) { rows.Add(row); });
  const RowFingerprint found = rows.Finish();
  if (found == table.expected || (table.is_counted_only && found.rows == table.expected.rows))
    return;
  const std::lock_guard lock(mutex_);
  if (table.has_generated) {
    generated_.push_back(fmt::format("{}: the generated columns of some of its {} rows differ",
                                     table.name, found.rows));
    return;
  }
  differences_.push_back(
      found.rows == table.expected.rows
          ? fmt::format("{}: the contents of some of its {} rows differ", table.name, found.rows)
          : fmt::format("{}: {} rows instead of {}", table.name, found.rows, table.expected.rows));
}

void RowCheck::ReadSome() {
  PostgresConnection connection(context_.settings, context_.run.cancellation);
  // The database has none of these yet, and the dump was read under them.
  ApplyContentSettings(connection, context_.manifest.properties.settings);
  PrepareReadSession(connection);
  for (size_t i = next_++; i < tables_.size(); i = next_++) Compare(connection, tables_[i]);
}

void RowCheck::CompareLargeObjects() {
  const auto expected = context_.manifest.fingerprints.find(LargeObjectsName());
  if (expected == context_.manifest.fingerprints.end()) return;
  PostgresConnection connection(context_.settings, context_.run.cancellation);
  PrepareReadSession(connection);
  const RowFingerprint found = ReadLargeObjects(connection);
  if (found == expected->second) return;
  const std::lock_guard lock(mutex_);
  differences_.push_back(
      found.rows == expected->second.rows
          ? fmt::format("large objects: the contents of some of the {} differ", found.rows)
          : fmt::format("large objects: {} instead of {}", found.rows, expected->second.rows));
}

std::string RowCheck::InWords(const std::vector<std::string>& differences) {
  std::string detail;
  for (size_t i = 0; i < differences.size() && i < kMostNamed; ++i)
    detail += fmt::format("{}{}", i == 0 ? "" : "\n", differences[i]);
  if (differences.size() > kMostNamed)
    detail += fmt::format("\nand {} more tables", differences.size() - kMostNamed);
  return detail;
}

void RowCheck::ThrowDifferences() const {
  const auto first = [](const std::vector<std::string>& differences) {
    return differences[0].substr(0, differences[0].find(": "));
  };
  if (!differences_.empty())
    throw Error(ErrorKind::kCorrupt,
                "the restored rows are not those that were dumped: " + first(differences_),
                InWords(differences_),
                "Do not rely on this backup: make another one, and keep older ones.");
  if (!generated_.empty())
    throw Error(
        ErrorKind::kCorrupt,
        "generated columns have other values than in the backed up database: " + first(generated_),
        InWords(generated_),
        "Their expressions give other values now, so what they call is not immutable. The "
        "other columns are those that were dumped.");
}

uint64_t RowCheck::Run() {
  Plan();
  std::vector<std::function<void()>> lanes;
  for (int64_t lane = 0; lane < context_.jobs; ++lane) lanes.emplace_back([this] { ReadSome(); });
  lanes.emplace_back([this] { CompareLargeObjects(); });
  FirstFailure failure(context_.run.cancellation);
  RunLanes(lanes, lanes.size(), failure, context_.run.cancellation);
  failure.Rethrow();
  ThrowDifferences();
  return compared_;
}

}  // namespace

ArchiveCopy ParseArchiveCopy(const std::string& statement) {
  constexpr std::string_view kCopy = "COPY ", kFrom = " FROM stdin";
  const size_t end = statement.rfind(kFrom);
  if (statement.rfind(kCopy, 0) != 0 || end == std::string::npos)
    throw Error(ErrorKind::kCorrupt, "an archive has an unknown statement COPY", statement);
  bool quoted = false;
  size_t space = kCopy.size();
  for (; space < end && (quoted || statement[space] != ' '); ++space)
    if (statement[space] == '"') quoted = !quoted;
  const size_t columns = statement.find('(', space);
  return {statement.substr(kCopy.size(), space - kCopy.size()),
          columns < end ? statement.substr(columns, end - columns) : ""};
}

uint64_t CheckRows(const RowCheckContext& context) {
  return RowCheck(context).Run();
}

}  // namespace pgbackup
