-- What the tables and materialized views of schema :schema are made of, as lines. Run by psql -XqAt.
SET search_path = pg_catalog;
SELECT format('column|%s|%s|%s|%s|%s|%s|%s', relname, relkind, attname, format_type(atttypid, atttypmod), attnotnull,
    attidentity, pg_get_expr(adbin, adrelid))
  FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
 WHERE relkind IN ('r', 'p', 'm') AND relnamespace = :'schema'::regnamespace;
SELECT format('constraint|%s|%s|%s', relname, conname, pg_get_constraintdef(o.oid))
  FROM pg_constraint o JOIN pg_class c ON c.oid = conrelid WHERE relnamespace = :'schema'::regnamespace;
SELECT format('index|%s|%s', relname, pg_get_indexdef(indexrelid))
  FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE relnamespace = :'schema'::regnamespace;
SELECT format('trigger|%s|%s', relname, pg_get_triggerdef(t.oid))
  FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal AND relnamespace = :'schema'::regnamespace;
SELECT format('inherits|%s|%s|%s', inhrelid::regclass, inhparent::regclass, inhseqno)
  FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE relnamespace = :'schema'::regnamespace;
SELECT format('policy|%s|%s|%s|%s', relname, polname, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
  FROM pg_policy JOIN pg_class c ON c.oid = polrelid WHERE relnamespace = :'schema'::regnamespace;
