#include "core/dump/table_list.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "core/dump/server_encoding.h"

namespace pgbackup {
namespace {

// Answers for one table after the other whether a selection has it.
class TableSelector {
 public:
  explicit TableSelector(const Selection& selection)
      : schemas_(selection.schemas.begin(), selection.schemas.end()),
        tables_(selection.tables.begin(), selection.tables.end()),
        excluded_(selection.exclude_tables.begin(), selection.exclude_tables.end()) {}

  bool Has(const QualifiedName& name) const {
    if (excluded_.count(name) != 0) return false;
    if (!tables_.empty()) return tables_.count(name) != 0;
    return schemas_.empty() || schemas_.count(name.schema) != 0;
  }

 private:
  std::set<std::string> schemas_;
  std::set<QualifiedName> tables_, excluded_;
};

// The last two columns are the names in the server's encoding, null when the connection's is the
// same.
std::string ListSql(const std::string& server_encoding) {
  const bool same = server_encoding == "UTF8" || server_encoding == "SQL_ASCII";
  const auto converted = [&](const char* name) {
    return same ? std::string("NULL")
                : fmt::format("convert_to({}::text, {})", name, QuoteLiteral(server_encoding));
  };
  return fmt::format(
      "SELECT c.oid, n.nspname, c.relname, c.relkind = 'p', "
      "EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass "
      "AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e'), {}, {} "
      "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
      "WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' "
      "AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') "
      "AND n.nspname !~ '^pg_(toast_)?temp_' AND has_table_privilege(c.oid, 'SELECT') "
      "ORDER BY c.oid",
      converted("n.nspname"), converted("c.relname"));
}

std::string OidArray(const std::vector<DumpTable>& tables) {
  std::string array = "{";
  for (const DumpTable& table : tables) array += (array.size() == 1 ? "" : ",") + table.oid;
  return array + "}";
}

}  // namespace

std::vector<DumpTable> ListTables(PostgresConnection& connection, const Selection& selection) {
  const QueryResult rows = connection.Query(ListSql(connection.ReportedSetting("server_encoding")));
  const TableSelector selector(selection);
  std::vector<DumpTable> tables;
  for (int i = 0; i < rows.rows(); ++i) {
    DumpTable table;
    table.oid = rows.Text(i, 0);
    table.name = {rows.Text(i, 1), rows.Text(i, 2)};
    if (!selector.Has(table.name)) continue;
    table.is_partitioned = rows.Flag(i, 3);
    table.is_extension_member = rows.Flag(i, 4);
    table.dump_name = rows.IsNull(i, 5) ? table.name
                                        : QualifiedName{DecodeHexBytea(rows.Text(i, 5)),
                                                        DecodeHexBytea(rows.Text(i, 6))};
    tables.push_back(std::move(table));
  }
  return tables;
}

void MeasureTables(PostgresConnection& connection, std::vector<DumpTable>* tables) {
  const QueryResult rows = connection.Query(
      "SELECT c.oid, s.bytes + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0), 'main'), 0), "
      "s.bytes / current_setting('block_size')::bigint, "
      "coalesce(a.amname = 'heap', false) AND EXISTS (SELECT FROM pg_attribute t "
      "WHERE t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped AND t.attgenerated = ''), "
      "c.relispartition AND EXISTS (SELECT FROM pg_partition_ancestors(c.oid) r "
      "JOIN pg_partitioned_table p ON p.partrelid = r.relid "
      "JOIN pg_opclass o ON o.oid = ANY (p.partclass::oid[]) "
      "WHERE p.partstrat = 'h' AND o.opcintype = 'anyenum'::regtype) "
      "FROM pg_class c CROSS JOIN LATERAL (SELECT pg_relation_size(c.oid, 'main') AS bytes OFFSET "
      "0) s "
      "LEFT JOIN pg_am a ON a.oid = c.relam WHERE c.oid = ANY ($1::oid[])",
      {OidArray(*tables)});
  std::map<std::string, int> row_of;
  for (int i = 0; i < rows.rows(); ++i) row_of[rows.Text(i, 0)] = i;
  for (DumpTable& table : *tables) {
    const auto found = row_of.find(table.oid);
    if (found == row_of.end()) continue;
    table.bytes = static_cast<uint64_t>(rows.Integer(found->second, 1));
    table.pages = static_cast<uint64_t>(rows.Integer(found->second, 2));
    table.can_split = rows.Flag(found->second, 3);
    table.is_loaded_by_root = rows.Flag(found->second, 4);
  }
}

uint64_t MeasureLargeObjects(PostgresConnection& connection) {
  return static_cast<uint64_t>(
      connection.Query("SELECT pg_table_size('pg_largeobject')").Integer(0, 0));
}

std::vector<std::string> CopyColumns(PostgresConnection& connection, const DumpTable& table) {
  const QueryResult rows = connection.Query(
      "SELECT attname FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0 "
      "AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
      {table.oid});
  std::vector<std::string> columns;
  for (int i = 0; i < rows.rows(); ++i) columns.push_back(rows.Text(i, 0));
  return columns;
}

}  // namespace pgbackup
