#include "core/dump/selection.h"

#include <fmt/format.h>

#include <set>

#include "core/base/error.h"

namespace pgbackup {
namespace {

void AddWithPartitions(PostgresConnection& connection, const std::string& text, const char* option,
                       std::set<QualifiedName>* known, std::vector<QualifiedName>* names) {
  const QualifiedName name = ParseQualifiedName(text, option);
  const QueryResult found = connection.Query(
      "WITH wanted AS (SELECT c.oid, c.relkind FROM pg_class c "
      "JOIN pg_namespace n ON n.oid = c.relnamespace "
      "WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')), "
      "tree AS (SELECT oid FROM wanted UNION SELECT t.relid FROM wanted w, "
      "pg_partition_tree(w.oid) t WHERE w.relkind = 'p') "
      "SELECT n.nspname, c.relname FROM tree JOIN pg_class c ON c.oid = tree.oid "
      "JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 1, 2",
      {name.schema, name.name});
  if (found.rows() == 0)
    throw Error(ErrorKind::kNotFound,
                fmt::format("table {} in {} does not exist", QuoteQualifiedName(name), option));
  for (int i = 0; i < found.rows(); ++i) {
    QualifiedName each{found.Text(i, 0), found.Text(i, 1)};
    if (known->insert(each).second) names->push_back(std::move(each));
  }
}

std::vector<QualifiedName> Resolve(PostgresConnection& connection,
                                   const std::vector<std::string>& texts, const char* option) {
  std::vector<QualifiedName> names;
  std::set<QualifiedName> known;
  for (const std::string& text : texts) AddWithPartitions(connection, text, option, &known, &names);
  return names;
}

}  // namespace

Selection ResolveSelection(PostgresConnection& connection, const SelectionNames& names) {
  if (!names.schemas.empty() && !names.tables.empty())
    throw Error(ErrorKind::kInvalid, "schemas and tables cannot be selected in one backup",
                "pg_dump ignores the schemas as soon as tables are named.",
                "Select schemas, and leave tables out of them with exclude_tables.");
  Selection selection;
  for (const std::string& schema : names.schemas) {
    if (connection.Query("SELECT 1 FROM pg_namespace WHERE nspname = $1", {schema}).rows() == 0)
      throw Error(ErrorKind::kNotFound, fmt::format("schema \"{}\" does not exist", schema));
    selection.schemas.push_back(schema);
  }
  selection.tables = Resolve(connection, names.tables, "tables");
  selection.exclude_tables = Resolve(connection, names.exclude_tables, "exclude_tables");
  selection.exclude_table_data =
      Resolve(connection, names.exclude_table_data, "exclude_table_data");
  return selection;
}

}  // namespace pgbackup
