#include "core/dump/read_user_code.h"

#include <fmt/format.h>

#include "core/dump/code_graph.h"

namespace pgbackup {
namespace {

// Edges of a CodeGraph. The kinds of its nodes:
//   T the rows of a table, P the keys by which they find a partition, I an index, C a constraint,
//   M a materialized view's query and indexes: what is asked about;
//   v a view's query, t values of a type, k comparing them, o an operator, c an operator class,
//   m an operator family, f a function, i one that reads, writes or compares values of a type.
//
// pg_depend does not tell of what the server itself has made. Only few of those functions matter,
// and stored expressions name them as ":funcid 1234".
constexpr const char* kEdgesSql = R"(
WITH function AS (
  SELECT p.oid, p.prolang IN (SELECT oid FROM pg_language WHERE lanname IN ('c', 'internal') AND oid < 16384)
           AND e.oid IS NOT NULL AS is_of_extension,
         p.provolatile = 'i' OR 'internal'::regtype = p.prorettype OR 'internal'::regtype = ANY (p.proargtypes)
           AS is_steady,
         e.extconfig IS NOT NULL AS has_configuration
    FROM pg_proc p
    LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
     AND d.refclassid = 'pg_extension'::regclass
    LEFT JOIN pg_extension e ON e.oid = d.refobjid
   WHERE p.oid >= 16384
), risky AS (
  SELECT oid FROM pg_proc
   WHERE oid < 16384 AND (proname ~ '_to_xml' OR provolatile = 'v'
     AND proname NOT IN ('random', 'random_normal', 'clock_timestamp', 'timeofday', 'gen_random_uuid', 'uuidv4', 'uuidv7'))
), kind (class, letter) AS (
  VALUES ('pg_proc'::regclass, 'f'), ('pg_operator', 'o'), ('pg_opclass', 'c'), ('pg_opfamily', 'm'),
         ('pg_type', 't'), ('pg_class', 'v')
), uses (class, oid, part, node) AS (
  SELECT d.classid, d.objid, d.objsubid, k.letter || d.refobjid
    FROM pg_depend d JOIN kind k ON k.class = d.refclassid WHERE d.deptype <> 'e'
), own_type AS (
  SELECT oid FROM pg_type WHERE oid >= 16384
  UNION
  SELECT unnest(ARRAY[t.oid, t.typarray]) FROM pg_opclass o JOIN pg_type t ON t.oid = o.opcintype
    JOIN pg_am a ON a.oid = o.opcmethod
   WHERE o.oid >= 16384 AND o.opcdefault AND t.oid < 16384 AND a.amname IN ('btree', 'hash')
), field AS (
  SELECT a.attrelid, a.attnum, a.atttypid, c.relkind
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN own_type t ON t.oid = a.atttypid
   WHERE a.attnum > 0 AND NOT a.attisdropped
), parts AS (  -- of types: which other types a value is made of
  SELECT oid, typbasetype AS part FROM pg_type WHERE typtype = 'd'
  UNION ALL SELECT oid, typelem FROM pg_type WHERE typelem <> 0
  UNION ALL SELECT rngtypid, rngsubtype FROM pg_range
  UNION ALL SELECT rngmultitypid, rngtypid FROM pg_range
  UNION ALL SELECT t.oid, f.atttypid FROM pg_type t JOIN field f ON f.attrelid = t.typrelid WHERE t.typtype = 'c'
), own_part AS (
  SELECT p.oid, p.part FROM parts p JOIN own_type a ON a.oid = p.oid JOIN own_type b ON b.oid = p.part
), expression (node, tree) AS (
  SELECT CASE WHEN conrelid <> 0 THEN 'T' || conrelid ELSE 't' || contypid END, conbin::text
    FROM pg_constraint WHERE contype = 'c' AND oid >= 16384
  UNION ALL SELECT 'C' || oid, conbin::text FROM pg_constraint WHERE contype = 'c' AND oid >= 16384
  UNION ALL SELECT 'v' || ev_class, ev_action::text FROM pg_rewrite WHERE ev_class >= 16384 AND ev_type = '1'
), root AS (  -- partitioned tables whose rows find their partition anew
  SELECT DISTINCT pg_partition_root(p.partrelid) AS oid FROM pg_partitioned_table p
    JOIN pg_opclass o ON o.oid = ANY (p.partclass::oid[])
   WHERE p.partstrat = 'h' AND o.opcintype = 'anyenum'::regtype
)
-- code
SELECT 'f' || oid, CASE WHEN NOT (is_of_extension AND is_steady) THEN '!' ELSE '?' END
  FROM function WHERE NOT (is_of_extension AND is_steady) OR has_configuration
UNION ALL SELECT 'i' || oid, '!' FROM function WHERE NOT is_of_extension
UNION ALL SELECT 'f' || oid, '!' FROM risky
UNION ALL SELECT 'f' || aggfnoid::oid, 'f' || f.oid FROM pg_aggregate,
    LATERAL unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn]::oid[]) AS f (oid)
   WHERE aggfnoid::oid >= 16384 AND f.oid >= 16384
-- on the way to it
UNION ALL SELECT 'o' || oid, 'f' || oprcode::oid FROM pg_operator WHERE oid >= 16384
UNION ALL SELECT 'c' || oid, 'm' || opcfamily FROM pg_opclass WHERE oid >= 16384
UNION ALL SELECT 'm' || amprocfamily, 'i' || amproc::oid FROM pg_amproc WHERE amproc::oid >= 16384
UNION ALL SELECT 't' || oid, 't' || part FROM own_part
UNION ALL SELECT 'k' || oid, 'k' || part FROM own_part
UNION ALL SELECT 't' || oid, 'k' || oid FROM own_type
UNION ALL SELECT 't' || t.oid, 'i' || f.oid FROM pg_type t,
    LATERAL unnest(ARRAY[t.typinput, t.typoutput]::oid[]) AS f (oid) WHERE t.oid >= 16384 AND f.oid >= 16384
UNION ALL SELECT 't' || contypid, u.node FROM pg_constraint c
    JOIN uses u ON u.class = 'pg_constraint'::regclass AND u.oid = c.oid
   WHERE c.contypid <> 0 AND c.contype = 'c'
UNION ALL SELECT 't' || rngtypid, 'f' || f.oid FROM pg_range,
    LATERAL unnest(ARRAY[rngcanonical, rngsubdiff]::oid[]) AS f (oid) WHERE f.oid >= 16384
UNION ALL SELECT 'k' || rngtypid, 'c' || rngsubopc FROM pg_range WHERE rngsubopc >= 16384
UNION ALL SELECT 't' || castsource, 'i' || castfunc FROM pg_cast
   WHERE oid >= 16384 AND castfunc <> 0 AND casttarget = 'json'::regtype
UNION ALL SELECT 'k' || o.opcintype, 'c' || o.oid FROM pg_opclass o JOIN pg_am a ON a.oid = o.opcmethod
   WHERE o.oid >= 16384 AND o.opcdefault AND a.amname IN ('btree', 'hash')
UNION ALL SELECT node, 'f' || r.oid FROM expression
    CROSS JOIN LATERAL (SELECT DISTINCT m[1] AS oid FROM regexp_matches(tree, ':funcid (\d+)', 'g') m) f
    JOIN risky r ON r.oid::text = f.oid
-- views
UNION ALL SELECT 'v' || ev_class, u.node FROM pg_rewrite r
    JOIN uses u ON u.class = 'pg_rewrite'::regclass AND u.oid = r.oid
   WHERE r.ev_type = '1' AND r.ev_class >= 16384
UNION ALL SELECT 'v' || oid, '!' FROM pg_class WHERE relkind = 'f'
UNION ALL SELECT 'v' || attrelid, 'k' || atttypid FROM field WHERE relkind IN ('v', 'm')
UNION ALL SELECT 'M' || oid, 'v' || oid FROM pg_class WHERE relkind = 'm'
UNION ALL SELECT 'M' || indrelid, 'I' || indexrelid FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE c.relkind = 'm'
-- rows
UNION ALL SELECT 'T' || attrelid, 't' || atttypid FROM field WHERE relkind IN ('r', 'p')
UNION ALL SELECT 'T' || adrelid, u.node FROM pg_attrdef d
    JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated = 's'
    JOIN uses u ON u.class = 'pg_attrdef'::regclass AND u.oid = d.oid
UNION ALL SELECT 'T' || conrelid, u.node FROM pg_constraint c
    JOIN uses u ON u.class = 'pg_constraint'::regclass AND u.oid = c.oid
   WHERE c.conrelid <> 0 AND c.contype = 'c'
UNION ALL SELECT k.kind || i.inhrelid, 'P' || i.inhparent FROM pg_inherits i
    JOIN pg_class p ON p.oid = i.inhparent AND p.relkind = 'p', (VALUES ('T'), ('P')) AS k (kind)
UNION ALL SELECT 'P' || c.oid, u.node FROM pg_class c
    JOIN uses u ON u.class = 'pg_class'::regclass AND u.oid = c.oid AND u.part = 0
   WHERE c.relkind = 'p' AND u.node !~ '^v'
UNION ALL SELECT 'P' || attrelid, 'k' || atttypid FROM field WHERE relkind = 'p'
UNION ALL SELECT e.node, e.other FROM root, LATERAL pg_partition_tree(root.oid) t,
    LATERAL (VALUES ('T' || t.relid::oid, 'S' || root.oid::oid), ('S' || root.oid::oid, 'T' || t.relid::oid)) AS e (node, other)
-- indexes and constraints
UNION ALL SELECT 'I' || c.oid, u.node FROM pg_class c
    JOIN uses u ON u.class = 'pg_class'::regclass AND u.oid = c.oid
   WHERE c.relkind IN ('i', 'I') AND u.node !~ '^v'
UNION ALL SELECT 'I' || attrelid, 'k' || atttypid FROM field WHERE relkind IN ('i', 'I')
UNION ALL SELECT 'C' || oid, 'I' || conindid FROM pg_constraint WHERE contype IN ('p', 'u', 'x')
UNION ALL SELECT 'C' || c.oid, 'o' || o.oid FROM pg_constraint c,
    LATERAL unnest(coalesce(conexclop, '{}') || coalesce(conpfeqop, '{}') || coalesce(conppeqop, '{}') || coalesce(conffeqop, '{}')) AS o (oid)
   WHERE o.oid >= 16384
UNION ALL SELECT 'C' || c.oid, 'k' || f.atttypid FROM pg_constraint c
    JOIN field f ON f.attrelid = c.conrelid AND f.attnum = ANY (c.conkey) WHERE c.contype = 'f'
UNION ALL SELECT 'C' || c.oid, 'k' || f.atttypid FROM pg_constraint c
    JOIN field f ON f.attrelid = c.confrelid AND f.attnum = ANY (c.confkey) WHERE c.contype = 'f'
UNION ALL SELECT 'C' || c.oid, u.node FROM pg_constraint c
    JOIN uses u ON u.class = 'pg_constraint'::regclass AND u.oid = c.oid
   WHERE c.contype = 'c' AND u.node !~ '^v'
)";

}  // namespace

UserCode ReadUserCode(PostgresConnection& connection) {
  CodeGraph graph;
  // How many rows its parts have, the planner cannot know: no plan that is fast for few only.
  for (const char* setting : {"enable_nestloop", "jit"})
    connection.Execute(fmt::format("SET {} = off", setting));
  const QueryResult edges = connection.Query(kEdgesSql);
  for (const char* setting : {"enable_nestloop", "jit"})
    connection.Execute(fmt::format("RESET {}", setting));
  for (int row = 0; row < edges.rows(); ++row) graph.Add(edges.Text(row, 0), edges.Text(row, 1));
  UserCode code;
  code.tables = graph.Users('T', CodeGraph::kAnyCode);
  code.extension_tables = graph.Users('T', CodeGraph::kExtensionCode);
  for (const uint32_t table : code.tables) code.extension_tables.erase(table);
  code.indexes = graph.Users('I', CodeGraph::kAnyCode);
  code.constraints = graph.Users('C', CodeGraph::kAnyCode);
  code.materialized_views = graph.Users('M', CodeGraph::kAnyCode);
  return code;
}

}  // namespace pgbackup
