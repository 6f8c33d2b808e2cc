# shellcheck shell=bash
# scripts/bench watch: whether reading pgbackup.progress slows a backup. Needs common.sh, user.sh, build.sh,
# cluster.sh and bench_database.sh.
#
# Any client that asks something a hundred times a second costs a little, so a third run has one that asks
# for nothing of pgbackup's.

bench_prepare_watch() { install_tree "$scratch/install.log"; }

bench_watch() {
  start_bench_cluster
  at_exit+=(end_client)
  echo 'SELECT 1' >"$scratch/idle.sql"
  echo 'SELECT * FROM pgbackup.progress' >"$scratch/progress.sql"
  give_to_user "$scratch/idle.sql" "$scratch/progress.sql"
  run_rounds watch_round
  compare_runs '// alone'
}

watch_round() {
  watched alone
  watched beside-select-1 "$scratch/idle.sql"
  watched beside-progress "$scratch/progress.sql"
}

# A backup to a directory; with a script, a client runs that a hundred times a second meanwhile.
watched() { # NAME [SCRIPT]
  if [ -n "${2:-}" ]; then
    as_user "$bindir/pgbench" -n -M prepared -R 100 -T 3600 -f "$2" postgres >"$scratch/pgbench.log" 2>&1 &
    client=$!
    until [ "$(clients)" != 0 ]; do
      kill -0 "$client" 2>/dev/null || fail "pgbench ended: $(cat "$scratch/pgbench.log")"
    done
  fi
  backup "$1" "file://$scratch/store"
  end_client
  forget
}

client='' # that runs beside a backup

# Ending the child of what as_user has started ends both.
end_client() {
  [ -n "$client" ] || return 0
  pkill -TERM -P "$client" || kill "$client" 2>/dev/null || :
  wait "$client" 2>/dev/null || :
  client=''
}

clients() { sql -At -d postgres -c "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench'"; }
