#include "core/restore/schema_move.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>
#include <vector>

#include "core/postgres/quoting.h"

namespace pgbackup {
namespace {

// Types that stand for themselves: not those of rows and arrays, and no extension's. OID, name and
// definition; the labels of enums are asked for apart, because the target may have more.
constexpr const char* kTypesSql = R"(
SELECT t.oid, format('%I.%I', n.nspname, t.typname), CASE t.typtype
    WHEN 'e' THEN 'enum'
    WHEN 'd' THEN concat_ws(' ', 'domain', format_type(t.typbasetype, t.typtypmod), t.typnotnull,
        (SELECT string_agg(pg_get_constraintdef(c.oid), ' ' ORDER BY c.conname)
           FROM pg_constraint c WHERE c.contypid = t.oid))
    WHEN 'c' THEN concat_ws(' ', 'composite',
        (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '
                           ORDER BY a.attnum)
           FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
    WHEN 'r' THEN concat_ws(' ', 'range',
        (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = t.oid))
    ELSE t.typtype::text END
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE t.oid >= 16384 AND n.nspname !~ '^pg_(toast|temp)'
   AND (t.typrelid = 0 OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
   AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid
                                             AND d.deptype = 'e'))";

constexpr const char* kLabelsSql = R"(
SELECT format('%I.%I', n.nspname, t.typname), e.enumlabel
  FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace)";

// {}: OIDs of types. Rows of moved tables and all that is made of any of them, arrays included.
constexpr const char* kMadeOfSql = R"(
WITH RECURSIVE moved AS (
  SELECT oid FROM pg_type WHERE oid IN ({})
  UNION SELECT c.reltype FROM pg_class c WHERE c.oid >= 16384 AND c.reltype <> 0 AND c.relkind <> 'c'
  UNION
  SELECT coalesce(c.reltype, d.objid)
    FROM moved
    JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = moved.oid
    LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind = 'c'
   WHERE d.classid = 'pg_type'::regclass OR c.oid IS NOT NULL)
SELECT oid FROM moved)";

// OID, name with arguments, kind in SQL, and the types of arguments and result (that are not
// built in).
constexpr const char* kFunctionsSql = R"(
SELECT p.oid, format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
       CASE p.prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
       array_to_string(ARRAY(SELECT d.refobjid FROM pg_depend d
                              WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                                AND d.refclassid = 'pg_type'::regclass), ' ')
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE p.oid >= 16384
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                                             AND d.deptype IN ('e', 'i')))";

constexpr const char* kCollationsSql = R"(
SELECT format('%I.%I', n.nspname, c.collname)
  FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
 WHERE c.oid >= 16384 AND n.nspname <> 'pg_catalog')";

// The ALTER of each relation that does not follow another one, without where to.
constexpr const char* kRelationsSql = R"(
SELECT format('ALTER %s %I.%I',
              CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                             WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
              n.nspname, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', $1)
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                      AND (d.deptype = 'e' OR c.relkind = 'S' AND d.deptype IN ('a', 'i')
                                              AND d.refclassid = 'pg_class'::regclass)))";

struct NamedType {
  std::string oid, name, definition;
};

std::vector<NamedType> TypesOf(PostgresConnection& connection) {
  const QueryResult rows = connection.Query(kTypesSql);
  std::vector<NamedType> types;
  for (int row = 0; row < rows.rows(); ++row)
    types.push_back({rows.Text(row, 0), rows.Text(row, 1), rows.Text(row, 2)});
  return types;
}

std::set<std::string> ColumnOf(const QueryResult& rows, int column) {
  std::set<std::string> values;
  for (int row = 0; row < rows.rows(); ++row) values.insert(rows.Text(row, column));
  return values;
}

class SchemaMove {
 public:
  SchemaMove(PostgresConnection& side, PostgresConnection& target, const std::string& schema)
      : side_(side), target_(target), schema_(schema) {}
  void Perform();

 private:
  std::set<std::string> DifferentTypes() const;
  void MoveTypes();
  void MoveFunctions() const;
  void MoveCollations() const;
  void MoveRelations() const;
  void Move(const std::string& alter) const {
    side_.Execute(fmt::format("{} SET SCHEMA {}", alter, QuoteIdentifier(schema_)));
  }
  // What is in the schema already has its name before it.
  bool IsThere(const std::string& name) const {
    return name.starts_with(side_.Query("SELECT quote_ident($1) || '.'", {schema_}).Text(0, 0));
  }

  PostgresConnection& side_;
  PostgresConnection& target_;
  const std::string& schema_;
  std::set<std::string> made_of_moved_;  // OIDs of types
};

// Those that the target does not have, or has otherwise.
std::set<std::string> SchemaMove::DifferentTypes() const {
  std::map<std::string, std::string> there;
  for (const NamedType& type : TypesOf(target_)) there[type.name] = type.definition;
  using Label = std::pair<std::string, std::string>;
  std::set<Label> labels_there;
  const QueryResult target_labels = target_.Query(kLabelsSql);
  for (int row = 0; row < target_labels.rows(); ++row)
    labels_there.insert({target_labels.Text(row, 0), target_labels.Text(row, 1)});
  std::set<std::string> lacking;  // names of enums
  const QueryResult labels = side_.Query(kLabelsSql);
  for (int row = 0; row < labels.rows(); ++row)
    if (labels_there.count({labels.Text(row, 0), labels.Text(row, 1)}) == 0)
      lacking.insert(labels.Text(row, 0));
  std::set<std::string> different;
  for (const NamedType& type : TypesOf(side_)) {
    const auto found = there.find(type.name);
    if (found == there.end() || found->second != type.definition || lacking.count(type.name) != 0)
      different.insert(type.oid);
  }
  return different;
}

void SchemaMove::MoveTypes() {
  std::set<std::string> different = DifferentTypes();
  made_of_moved_ = ColumnOf(
      side_.Query(fmt::format(
          kMadeOfSql, different.empty() ? "0" : fmt::format("{}", fmt::join(different, ", ")))),
      0);
  for (const NamedType& type : TypesOf(side_))
    if (made_of_moved_.count(type.oid) != 0 && !IsThere(type.name)) Move("ALTER TYPE " + type.name);
}

void SchemaMove::MoveFunctions() const {
  const std::set<std::string> there = ColumnOf(target_.Query(kFunctionsSql), 1);
  const QueryResult functions = side_.Query(kFunctionsSql);
  for (int row = 0; row < functions.rows(); ++row) {
    const std::string name = functions.Text(row, 1);
    bool moves = there.count(name) == 0;
    const std::string types = functions.Text(row, 3) + " ";
    for (size_t begin = 0, end = 0; (end = types.find(' ', begin)) != std::string::npos;
         begin = end + 1)
      moves = moves || made_of_moved_.count(types.substr(begin, end - begin)) != 0;
    if (moves && !IsThere(name)) Move(fmt::format("ALTER {} {}", functions.Text(row, 2), name));
  }
}

void SchemaMove::MoveCollations() const {
  const std::set<std::string> there = ColumnOf(target_.Query(kCollationsSql), 0);
  for (const std::string& name : ColumnOf(side_.Query(kCollationsSql), 0))
    if (there.count(name) == 0 && !IsThere(name)) Move("ALTER COLLATION " + name);
}

void SchemaMove::MoveRelations() const {
  const QueryResult relations = side_.Query(kRelationsSql, {schema_});
  for (int row = 0; row < relations.rows(); ++row) Move(relations.Text(row, 0));
}

void SchemaMove::Perform() {
  for (PostgresConnection* connection : {&side_, &target_})
    connection->Execute("SET search_path = pg_catalog");
  side_.Execute(fmt::format("CREATE SCHEMA IF NOT EXISTS {}", QuoteIdentifier(schema_)));
  MoveTypes();
  MoveFunctions();
  MoveCollations();
  MoveRelations();
}

}  // namespace

void MoveIntoSchema(PostgresConnection& side, PostgresConnection& target,
                    const std::string& schema) {
  SchemaMove(side, target, schema).Perform();
}

}  // namespace pgbackup
