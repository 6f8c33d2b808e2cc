# shellcheck shell=bash
# scripts/bench confined: what it costs that sessions are confined. Needs common.sh, user.sh, build.sh,
# cluster.sh and bench_database.sh.
#
# The tables belong to a role that is no superuser, so their rows are loaded with its rights. In a second
# database each row also passes a function of that role.

bench_prepare_confined() { install_tree "$scratch/install.log"; }

bench_confined() {
  start_bench_cluster
  sql -d postgres -c 'CREATE ROLE owner' -c 'CREATE DATABASE checked'
  own_tables bench
  fill_checked
  own_tables checked
  for database in bench checked; do
    as_user "$bindir/pg_dump" -Fd -Z0 -j2 -f "$scratch/store/$database" "$database"
  done
  run_rounds confined_round
  compare_runs '/^checked/ checked' '// pg_restore'
}

# In turn the one first and the other: what comes second may find the disk busy with the first.
confined_round() {
  # shellcheck disable=SC2154 # of run_rounds
  if [ $((round % 2)) = 1 ]; then
    stock_restore pg_restore bench
    stock_restore confined bench '-c pgbackup.confined=on'
    stock_restore checked checked
    stock_restore checked-confined checked '-c pgbackup.confined=on'
  else
    stock_restore confined bench '-c pgbackup.confined=on'
    stock_restore pg_restore bench
    stock_restore checked-confined checked '-c pgbackup.confined=on'
    stock_restore checked checked
  fi
}

stock_restore() { # NAME DATABASE [OPTIONS]
  forget_dropped_files
  sql -d postgres -c 'CREATE DATABASE back'
  measure "$1" env PGOPTIONS="${3:-}" "$bindir/pg_restore" -j2 -d back "$scratch/store/$2"
  sql -d postgres -c 'DROP DATABASE back' -c 'CHECKPOINT'
}

own_tables() { # DATABASE
  sql -At -d "$1" -c "SELECT format('ALTER TABLE %s OWNER TO owner;', oid::regclass) FROM pg_class
    WHERE relkind IN ('r', 'p') AND oid >= 16384 AND relnamespace = 'public'::regnamespace" |
    sql -d "$1" -f -
}

fill_checked() {
  sql -d checked -o /dev/null -c 'SET check_function_bodies = on' \
    -c "CREATE FUNCTION public.is_good(n bigint) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN n >= 0; END'" \
    -c 'ALTER FUNCTION public.is_good(bigint) OWNER TO owner' \
    -c 'CREATE TABLE public.checked (n bigint CHECK (public.is_good(n)), note text)' \
    -c "INSERT INTO public.checked SELECT n, md5(n::text) FROM generate_series(1, $(for_gigabytes 2000000)) AS n"
}
