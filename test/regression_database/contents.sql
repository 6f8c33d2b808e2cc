-- For each table, partition and materialized view of schemas that match :schemas: how many rows it has and what they
-- hold, generated columns included, as one line that does not depend on their order, nor on the schema that a column of
-- type regclass may name; then sequences and large objects. Run by psql -XqAt.
SET search_path = pg_catalog;
SET datestyle = iso;
SET intervalstyle = postgres;
SET extra_float_digits = 1;
SET bytea_output = hex;
SELECT format($$SELECT format('%%s|%%s|%%s', %L, count(*), md5(string_agg(line, chr(10) ORDER BY line COLLATE "C")))
  FROM (SELECT replace(format('%%s', the_row), %L, '') AS line FROM ONLY %I.%I AS the_row) AS lines$$,
  quote_ident(nspname) || '.' || quote_ident(relname), quote_ident(nspname) || '.', nspname, relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
 WHERE relkind IN ('r', 'm') AND relispopulated AND nspname ~ :'schemas' AND nspname <> ALL ('{pg_catalog,information_schema,pg_toast}')
   AND nspname !~ '^pg_(toast_)?temp_'
 ORDER BY 1
\gexec
SELECT format($$SELECT format('sequence %%s|%%s|%%s', %L, last_value, is_called) FROM %I.%I$$,
  quote_ident(nspname) || '.' || quote_ident(relname), nspname, relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
 WHERE relkind = 'S' AND nspname ~ :'schemas'
\gexec
SELECT format('large object %s|%s|%s', oid, length(lo_get(oid)), md5(lo_get(oid))) FROM pg_largeobject_metadata;
