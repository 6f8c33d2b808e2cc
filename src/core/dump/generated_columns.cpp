#include "core/dump/generated_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace pgbackup {

std::vector<GeneratedTable> ListGeneratedTables(PostgresConnection& connection) {
  const QueryResult rows = connection.Query(
      "SELECT c.oid, n.nspname, c.relname, "
      "(SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname) FROM pg_attribute a "
      "WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), "
      "pg_relation_size(c.oid, 'main') / current_setting('block_size')::bigint, m.amname = 'heap' "
      "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
      "LEFT JOIN pg_am m ON m.oid = c.relam "
      "WHERE c.relkind = 'r' AND c.relpersistence <> 't' "
      "AND (c.relpersistence = 'p' OR NOT pg_is_in_recovery()) AND EXISTS (SELECT FROM "
      "pg_attribute a "
      "WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.attgenerated = 's' AND NOT a.attisdropped) "
      "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass "
      "AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e') "
      "AND NOT (c.relispartition AND EXISTS (SELECT FROM pg_partition_ancestors(c.oid) r "
      "JOIN pg_partitioned_table p ON p.partrelid = r.relid "
      "JOIN pg_opclass o ON o.oid = ANY (p.partclass::oid[]) "
      "WHERE p.partstrat = 'h' AND o.opcintype = 'anyenum'::regtype)) "
      "AND has_table_privilege(c.oid, 'SELECT') ORDER BY c.oid");
  std::vector<GeneratedTable> tables;
  for (int i = 0; i < rows.rows(); ++i)
    tables.push_back({rows.Text(i, 0),
                      {rows.Text(i, 1), rows.Text(i, 2)},
                      rows.Text(i, 3),
                      static_cast<uint64_t>(rows.Integer(i, 4)),
                      rows.Flag(i, 5)});
  return tables;
}

std::string CopyGeneratedSql(const GeneratedTable& table, const std::optional<PageRange>& pages,
                             const std::string& encoding) {
  std::string where;
  if (pages) {
    where = fmt::format(" WHERE ctid OPERATOR(pg_catalog.>=) '({},0)'", pages->first);
    if (pages->end) where += fmt::format(" AND ctid OPERATOR(pg_catalog.<) '({},0)'", *pages->end);
  }
  return fmt::format("COPY (SELECT {} FROM ONLY {}{}) TO STDOUT WITH (ENCODING {})", table.columns,
                     QuoteQualifiedName(table.name), where, QuoteLiteral(encoding));
}

std::vector<GeneratedPiece> PlanGenerated(const std::vector<GeneratedTable>& tables,
                                          const std::vector<DumpTable>& selected,
                                          uint64_t split_pages) {
  std::set<std::string> oids;
  for (const DumpTable& table : selected) oids.insert(table.oid);
  std::vector<GeneratedPiece> pieces;
  for (const GeneratedTable& table : tables) {
    if (oids.count(table.oid) == 0) continue;
    if (!table.can_split || split_pages == 0 || table.pages <= split_pages) {
      pieces.push_back({table, std::nullopt});
      continue;
    }
    for (uint64_t first = 0; first < table.pages; first += split_pages) {
      const bool is_last = first + split_pages >= table.pages;
      pieces.push_back(
          {table, PageRange{first, is_last ? std::optional<uint64_t>() : first + split_pages}});
    }
  }
  return pieces;
}

}  // namespace pgbackup
