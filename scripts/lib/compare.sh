# shellcheck shell=bash
# Proves that two databases hold the same. Needs common.sh, user.sh and find_pg_config.

# Everything pg_dump knows of a database, every row one INSERT, in an order of its own (the order of
# rows on disk means nothing), and then what belongs to the database itself.
everything_in() { # DATABASE
  # Newer pg_dump puts a random key around its output.
  as_user "$bindir/pg_dump" --inserts -d "$1" | grep -avE '^\\(un)?restrict ' || return
  as_user "$bindir/psql" -XAt -d "$1" <<'SQL'
SELECT 'database', pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype,
       datconnlimit, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(datacl) AS a),
       shobj_description(oid, 'pg_database')
  FROM pg_database WHERE datname = current_database();
SELECT 'setting', pg_get_userbyid(setrole), setting
  FROM pg_db_role_setting, unnest(setconfig) AS setting
 WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database());
SQL
}

# Fails unless they are equal. Sets `lines` to the number of lines compared and `differing` to that of
# lines that only one has, and prints the first of these.
compare_databases() { # ONE OTHER
  local one=$scratch/compare-1 other=$scratch/compare-2
  differing=all lines=0
  everything_in "$1" | LC_ALL=C sort >"$one" &
  everything_in "$2" | LC_ALL=C sort >"$other" || return
  wait $! || return
  differing=$(LC_ALL=C comm -3 "$one" "$other" | wc -l)
  lines=$(wc -l <"$one")
  [ "$differing" = 0 ] || LC_ALL=C comm -3 "$one" "$other" | cut -c 1-200 | head -20
  rm -f "$one" "$other"
  [ "$differing" = 0 ] && [ "$lines" -gt 0 ]
}
