--
-- What is in a backup (src/pg/sql_contents.cpp)
--

CREATE FUNCTION pgbackup._ask_contents(id bigint) RETURNS jsonb
    LANGUAGE c VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'pgbackup_ask_contents';
COMMENT ON FUNCTION pgbackup._ask_contents(bigint) IS 'internal: has an agent read the tables of contents of a backup''s archives';

CREATE FUNCTION pgbackup.contents(backup_id bigint)
    RETURNS TABLE (object text, dump_id bigint, kind text, schema text, name text, owner text,
                   has_data boolean, row_count bigint, raw_size bigint)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    source pgbackup.backups;
BEGIN
    PERFORM pgbackup._require_server();
    PERFORM pgbackup._audit(format('list the contents of backup %s', $1));
    source := pgbackup._restorable_backup($1, 'list');
    RETURN QUERY SELECT e.value->>'object', (e.value->>'dump_id')::bigint, e.value->>'kind', e.value->>'schema',
                        e.value->>'name', e.value->>'owner', (e.value->>'has_data')::boolean,
                        (e.value->>'row_count')::bigint, (e.value->>'raw_size')::bigint
                   FROM jsonb_array_elements(pgbackup._ask_contents(source.id)->'entries') WITH ORDINALITY AS e (value, n)
                  ORDER BY e.n;
END $$;
COMMENT ON FUNCTION pgbackup.contents(bigint) IS
    'what is in a backup: the entries of its archives in their order, read from the storage. object is the archive, dump_id and kind (TABLE, INDEX, TABLE DATA and so on) are pg_dump''s; row_count and raw_size stand with rows as far as the manifest has them, the count of a table in several objects with the first. Format plain has none';
