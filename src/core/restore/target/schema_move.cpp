#include "core/restore/target/schema_move.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <vector>

#include "core/postgres/quoting.h"

namespace pgbackup {
namespace {

// What can be moved and is no relation and no extension's: catalog and OID, what identifies it,
// what has to be the same in the target, and the ALTER that moves it, without where to. Labels of
// enums are asked for apart, because the target may have more.
constexpr const char* kObjectsSql = R"(
WITH thing (class, oid, identity, definition, alter) AS (
  -- types that stand for themselves: not those of rows and arrays
  SELECT 'pg_type'::regclass, t.oid, format('type %I.%I', n.nspname, t.typname), CASE t.typtype
      WHEN 'e' THEN 'enum'
      WHEN 'd' THEN concat_ws(' ', 'domain', format_type(t.typbasetype, t.typtypmod), t.typnotnull,
          t.typcollation::regcollation, t.typdefault,
          (SELECT string_agg(pg_get_constraintdef(c.oid), ' ' ORDER BY c.conname)
             FROM pg_constraint c WHERE c.contypid = t.oid))
      WHEN 'c' THEN concat_ws(' ', 'composite',
          (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '
                             ORDER BY a.attnum)
             FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
      WHEN 'r' THEN concat_ws(' ', 'range',
          (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = t.oid))
      ELSE t.typtype::text END, format('ALTER TYPE %I.%I', n.nspname, t.typname)
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
   WHERE n.nspname !~ '^pg_(toast|temp)'
     AND (t.typrelid = 0 OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
     AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
  UNION ALL
  SELECT 'pg_proc'::regclass, p.oid,
         format('function %I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
         CASE p.prokind WHEN 'a' THEN
           (SELECT concat_ws(' ', format_type(p.prorettype, NULL), g.aggkind, g.aggnumdirectargs,
                g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggserialfn, g.aggdeserialfn, g.aggmtransfn,
                g.aggminvtransfn, g.aggmfinalfn, g.aggfinalextra, g.aggfinalmodify, g.aggsortop::regoperator,
                format_type(g.aggtranstype, NULL), g.agginitval)
              FROM pg_aggregate g WHERE g.aggfnoid = p.oid)
           ELSE pg_get_functiondef(p.oid) END,
         format('ALTER %s %I.%I(%s)',
                CASE p.prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
                n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
   WHERE p.oid >= 16384
  UNION ALL
  SELECT 'pg_collation'::regclass, c.oid, format('collation %I.%I', n.nspname, c.collname),
         (to_jsonb(c) - '{oid,collnamespace,collowner,collversion}'::text[])::text,
         format('ALTER COLLATION %I.%I', n.nspname, c.collname)
    FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE n.nspname <> 'pg_catalog'
  UNION ALL
  SELECT 'pg_operator'::regclass, o.oid,
         format('operator %I.%s (%s, %s)', n.nspname, o.oprname, format_type(o.oprleft, NULL), format_type(o.oprright, NULL)),
         concat_ws(' ', o.oprcode, o.oprcanmerge, o.oprcanhash, o.oprrest, o.oprjoin),
         format('ALTER OPERATOR %I.%s (%s, %s)', n.nspname, o.oprname,
                CASE o.oprleft WHEN 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END,
                CASE o.oprright WHEN 0 THEN 'NONE' ELSE format_type(o.oprright, NULL) END)
    FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
  UNION ALL
  SELECT 'pg_opfamily'::regclass, f.oid, format('operator family %I.%I %I', n.nspname, f.opfname, m.amname),
         concat_ws(' ',
           (SELECT string_agg(concat_ws(' ', amopstrategy, amopopr::regoperator, amoppurpose), ', '
                              ORDER BY amopstrategy, amopopr::regoperator::text)
              FROM pg_amop WHERE amopfamily = f.oid),
           (SELECT string_agg(concat_ws(' ', amprocnum, amproc::regprocedure, format_type(amproclefttype, NULL),
                                        format_type(amprocrighttype, NULL)), ', '
                              ORDER BY amprocnum, amproc::regprocedure::text,
                                format_type(amproclefttype, NULL), format_type(amprocrighttype, NULL))
              FROM pg_amproc WHERE amprocfamily = f.oid)),
         format('ALTER OPERATOR FAMILY %I.%I USING %I', n.nspname, f.opfname, m.amname)
    FROM pg_opfamily f JOIN pg_namespace n ON n.oid = f.opfnamespace JOIN pg_am m ON m.oid = f.opfmethod
  UNION ALL
  SELECT 'pg_opclass'::regclass, c.oid, format('operator class %I.%I %I', n.nspname, c.opcname, m.amname),
         concat_ws(' ', format_type(c.opcintype, NULL), c.opcdefault, format_type(c.opckeytype, NULL)),
         format('ALTER OPERATOR CLASS %I.%I USING %I', n.nspname, c.opcname, m.amname)
    FROM pg_opclass c JOIN pg_namespace n ON n.oid = c.opcnamespace JOIN pg_am m ON m.oid = c.opcmethod
  UNION ALL
  SELECT 'pg_ts_config'::regclass, c.oid, format('text search configuration %I.%I', n.nspname, c.cfgname),
         (SELECT string_agg(concat_ws(' ', m.maptokentype, m.mapseqno, m.mapdict::regdictionary), ', '
                            ORDER BY m.maptokentype, m.mapseqno)
            FROM pg_ts_config_map m WHERE m.mapcfg = c.oid),
         format('ALTER TEXT SEARCH CONFIGURATION %I.%I', n.nspname, c.cfgname)
    FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace
  UNION ALL
  SELECT 'pg_ts_dict'::regclass, d.oid, format('text search dictionary %I.%I', n.nspname, d.dictname),
         concat_ws(' ', (SELECT t.tmplname FROM pg_ts_template t WHERE t.oid = d.dicttemplate), d.dictinitoption),
         format('ALTER TEXT SEARCH DICTIONARY %I.%I', n.nspname, d.dictname)
    FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace
)
SELECT class::oid, oid, identity, coalesce(definition, ''), alter FROM thing t
 WHERE oid >= 16384
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = t.class AND d.objid = t.oid
                     AND (d.deptype = 'e' OR d.deptype = 'i' AND t.class = 'pg_proc'::regclass)))";

constexpr const char* kLabelsSql = R"(
SELECT format('type %I.%I', n.nspname, t.typname), e.enumlabel
  FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace)";

// {}: what moves, as rows of catalog and OID. It and all relations, and what depends on any of it:
// types made of it, functions that take it, operators by its functions and so on.
constexpr const char* kMadeOfSql = R"(
WITH RECURSIVE uses (class, oid, refclass, refoid) AS (
  SELECT classid::oid, objid, refclassid::oid, refobjid FROM pg_depend WHERE deptype IN ('n', 'a', 'i')
  -- what pg_depend has the other way round, or only through something else
  UNION ALL SELECT 'pg_type'::regclass::oid, contypid, 'pg_constraint'::regclass::oid, oid
    FROM pg_constraint WHERE contypid <> 0
  UNION ALL SELECT 'pg_type'::regclass::oid, oid, 'pg_class'::regclass::oid, typrelid FROM pg_type WHERE typrelid <> 0
  UNION ALL SELECT refclassid::oid, refobjid, classid::oid, objid FROM pg_depend
   WHERE classid IN ('pg_amop'::regclass, 'pg_amproc'::regclass)
     AND refclassid IN ('pg_opclass'::regclass, 'pg_opfamily'::regclass)
  UNION ALL SELECT 'pg_opfamily'::regclass::oid, opcfamily, 'pg_opclass'::regclass::oid, oid FROM pg_opclass
  -- a type has one default operator class
  UNION ALL SELECT 'pg_type'::regclass::oid, opcintype, 'pg_opclass'::regclass::oid, oid
    FROM pg_opclass WHERE opcdefault AND opcintype >= 16384
  UNION ALL SELECT 'pg_operator'::regclass::oid, o.oid, 'pg_operator'::regclass::oid, other
    FROM pg_operator o, unnest(ARRAY[oprcom, oprnegate]) AS other WHERE other <> 0
), moved AS (
  SELECT class, oid FROM (VALUES {}) AS given (class, oid)
  UNION SELECT 'pg_class'::regclass::oid, oid FROM pg_class
   WHERE oid >= 16384 AND relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = pg_class.oid
                        AND d.deptype = 'e')
  UNION
  SELECT u.class, u.oid FROM moved JOIN uses u ON u.refclass = moved.class AND u.refoid = moved.oid
   WHERE u.oid >= 16384)
SELECT class, oid FROM moved)";

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
                                              AND d.refclassid = 'pg_class'::regclass))
UNION ALL
SELECT format('ALTER STATISTICS %I.%I', n.nspname, s.stxname)
  FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
 WHERE s.oid >= 16384 AND n.nspname <> $1)";

constexpr const char* kCastsSql = R"(
SELECT format('(%s AS %s)', format_type(castsource, NULL), format_type(casttarget, NULL)),
       concat_ws(' ', castfunc::regprocedure, castcontext, castmethod)
  FROM pg_cast c
 WHERE oid >= 16384
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_cast'::regclass AND d.objid = c.oid
                     AND d.deptype = 'e'))";

// Name, schema and whether it may be in another one.
constexpr const char* kExtensionSchemasSql = R"(
SELECT quote_ident(e.extname), quote_ident(n.nspname), e.extrelocatable
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.oid >= 16384)";

struct MovableObject {
  std::pair<std::string, std::string> key;  // OIDs of its catalog and of itself
  std::string identity, definition, alter;
  bool IsType() const { return alter.starts_with("ALTER TYPE "); }
};

std::vector<MovableObject> ObjectsOf(PostgresConnection& connection) {
  const QueryResult rows = connection.Query(kObjectsSql);
  std::vector<MovableObject> objects;
  for (int row = 0; row < rows.rows(); ++row)
    objects.push_back({{rows.Text(row, 0), rows.Text(row, 1)},
                       rows.Text(row, 2),
                       rows.Text(row, 3),
                       rows.Text(row, 4)});
  return objects;
}

using PairsOfTexts = std::set<std::pair<std::string, std::string>>;

PairsOfTexts PairsIn(const QueryResult& rows) {
  PairsOfTexts pairs;
  for (int row = 0; row < rows.rows(); ++row) pairs.insert({rows.Text(row, 0), rows.Text(row, 1)});
  return pairs;
}

class SchemaMove {
 public:
  SchemaMove(PostgresConnection& side, PostgresConnection& target, const std::string& schema)
      : side_(side), target_(target), schema_(schema) {}
  void Perform();

 private:
  PairsOfTexts Different(const std::vector<MovableObject>& objects) const;
  PairsOfTexts MadeOf(const PairsOfTexts& moved) const;
  void MoveExtensions() const;
  void MoveObjects() const;
  void MoveRelations() const;
  void Move(const std::string& alter) const {
    side_.Execute(fmt::format("{} SET SCHEMA {}", alter, QuoteIdentifier(schema_)));
  }

  PostgresConnection& side_;
  PostgresConnection& target_;
  const std::string& schema_;
};

// Those that the target does not have, or has otherwise.
PairsOfTexts SchemaMove::Different(const std::vector<MovableObject>& objects) const {
  std::map<std::string, std::string> there;
  for (const MovableObject& object : ObjectsOf(target_)) there[object.identity] = object.definition;
  const PairsOfTexts labels_there = PairsIn(target_.Query(kLabelsSql));
  std::set<std::string> lacking;  // enums
  for (const auto& label : PairsIn(side_.Query(kLabelsSql)))
    if (labels_there.count(label) == 0) lacking.insert(label.first);
  PairsOfTexts different;
  for (const MovableObject& object : objects) {
    const auto found = there.find(object.identity);
    if (found == there.end() || found->second != object.definition ||
        lacking.count(object.identity) != 0)
      different.insert(object.key);
  }
  return different;
}

PairsOfTexts SchemaMove::MadeOf(const PairsOfTexts& moved) const {
  std::string rows = "(0::oid, 0::oid)";
  for (const auto& [catalog, oid] : moved) rows += fmt::format(", ({}, {})", catalog, oid);
  return PairsIn(side_.Query(fmt::format(kMadeOfSql, rows)));
}

// Those that the target has in another schema, where what comes has to find their types.
void SchemaMove::MoveExtensions() const {
  std::map<std::string, std::string> there;
  for (const auto& [name, schema] : PairsIn(target_.Query(kExtensionSchemasSql)))
    there[name] = schema;
  const QueryResult extensions = side_.Query(kExtensionSchemasSql);
  for (int row = 0; row < extensions.rows(); ++row) {
    const auto found = there.find(extensions.Text(row, 0));
    if (found == there.end() || found->second == extensions.Text(row, 1) ||
        extensions.Text(row, 2) != "t")
      continue;
    side_.Execute("CREATE SCHEMA IF NOT EXISTS " + found->second);
    side_.Execute(fmt::format("ALTER EXTENSION {} SET SCHEMA {}", found->first, found->second));
  }
}

void SchemaMove::MoveObjects() const {
  const std::vector<MovableObject> objects = ObjectsOf(side_);
  const PairsOfTexts moved = MadeOf(Different(objects));
  const PairsOfTexts there =
      PairsIn(side_.Query("SELECT d.classid::oid, d.objid FROM pg_depend d WHERE d.refclassid = "
                          "'pg_namespace'::regclass AND d.refobjid = $1::regnamespace",
                          {QuoteIdentifier(schema_)}));
  const auto move = [&](const MovableObject& object) {
    if (moved.count(object.key) != 0 && there.count(object.key) == 0) Move(object.alter);
  };
  for (const MovableObject& object : objects)
    if (object.IsType()) move(object);
  // Now their arguments have other names.
  for (const MovableObject& object : ObjectsOf(side_))
    if (!object.IsType()) move(object);
}

void SchemaMove::MoveRelations() const {
  const QueryResult relations = side_.Query(kRelationsSql, {schema_});
  for (int row = 0; row < relations.rows(); ++row) Move(relations.Text(row, 0));
}

void SchemaMove::Perform() {
  for (PostgresConnection* connection : {&side_, &target_})
    connection->Execute("SET search_path = pg_catalog");
  side_.Execute(fmt::format("CREATE SCHEMA IF NOT EXISTS {}", QuoteIdentifier(schema_)));
  MoveExtensions();
  MoveObjects();
  MoveRelations();
}

}  // namespace

void MoveIntoSchema(PostgresConnection& side, PostgresConnection& target,
                    const std::string& schema) {
  SchemaMove(side, target, schema).Perform();
}

std::string CastsThatStay(PostgresConnection& side, PostgresConnection& target) {
  const PairsOfTexts there = PairsIn(target.Query(kCastsSql));
  std::string casts;
  for (const auto& cast : PairsIn(side.Query(kCastsSql)))
    if (there.count(cast) == 0) casts += (casts.empty() ? "" : ", ") + cast.first;
  return casts;
}

}  // namespace pgbackup
