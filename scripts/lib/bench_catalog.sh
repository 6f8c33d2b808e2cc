# shellcheck shell=bash
# scripts/bench catalog: what a long history costs. Needs common.sh, user.sh, build.sh and cluster.sh. Reads
# databases, backups and rounds.

bench_prepare_catalog() { install_tree "$scratch/install.log"; }

bench_catalog() {
  heading "a catalog of $databases databases with $backups backups each"
  mkdir -m 0700 "$scratch/store"
  # The launcher finds no schedule to run; readers count the databases as covered all the same.
  start_cluster "${PGBACKUP_BENCH_PORT:-5795}" "pgbackup.schedule = ''" \
    "pgbackup.storage = 'file://$scratch/store'" "pgbackup.retention_count = 100000" "pgbackup.verify_schedule = ''" \
    "shared_buffers = '1GB'" "max_wal_size = '4GB'" "fsync = off" "autovacuum = off" "allow_system_table_mods = on"
  sql -d postgres -c 'CREATE EXTENSION pgbackup'
  sql -d postgres -o /dev/null -v databases="$databases" -v backups="$backups" -f "$scratch/tree/bench/catalog.sql"
  sql -At -d postgres -c "SELECT format('%s rows, %s and %s of indexes', count(*), pg_size_pretty(pg_table_size('pgbackup.backups')),
    pg_size_pretty(pg_indexes_size('pgbackup.backups'))) FROM pgbackup.backups"
  launcher=$(sql -At -d postgres -c 'SELECT pgbackup.launcher_pid()')

  heading "medians of $rounds rounds, $(nproc) cores, load $(cut -d ' ' -f 1 /proc/loadavg)"
  local call wall cpu
  for call in 'health()' 'metrics_text()' 'dashboard()' "_retain('db_7', 10)"; do
    read -r wall cpu < <(statement_ms "SELECT count(*) FROM pgbackup.$call" | paste -s)
    printf '%-56s %8.1f ms, %.1f ms of CPU\n' "$call" "$wall" "$cpu"
  done
  printf '%-56s %8.2f ms of CPU\n' "the launcher's round without work" "$(round_ms)"
  printf '%-56s %8.2f ms of CPU\n' "a backup after which none expires, all of the launcher" "$(backup_ms 100000)"
  printf '%-56s %8.2f ms of CPU\n' "a backup after which another one expires" "$(backup_ms 1)"
  # Before the sweep that follows the change of the rule deletes the history.
  set_setting retention_count 100000
}

median() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }

# Milliseconds by the clock, and those of CPU. Once to warm up.
statement_ms() { # SQL
  local i cpu="SELECT 'CPU:', split_part(pg_read_file('/proc/self/schedstat'), ' ', 1);"
  for ((i = 0; i <= rounds; i++)); do printf '%s\n' "$cpu" '\timing on' "$1;" '\timing off' "$cpu"; done |
    sql -At -F ' ' -d postgres -f - >"$scratch/statements"
  awk '/^Time:/ { if (n++) print $2 }' "$scratch/statements" | median
  awk '/^CPU:/ { if (++n % 2) before = $2; else if (n > 2) print ($2 - before) / 1e6 }' "$scratch/statements" | median
}

launcher_ns() { cut -d ' ' -f 1 "/proc/$launcher/schedstat"; }

# Waits until the launcher does nothing for a moment.
await_idle() {
  local before=''
  until [ "$before" = "$(launcher_ns)" ]; do
    before=$(launcher_ns)
    read -r -t 0.5 <> <(:) || :
  done
}

round_ms() {
  local before
  await_idle
  before=$(launcher_ns)
  { for ((i = 0; i < 100; i++)); do echo 'SELECT pgbackup._wake_launcher(); SELECT pg_sleep(0.02);'; done; } |
    sql -d postgres -o /dev/null
  await_idle
  awk -v ns="$(($(launcher_ns) - before))" 'BEGIN { print ns / 100 / 1e6 }'
}

# A backup of an empty database from its beginning to the removal of what has expired.
backup_ms() { # RETENTION-COUNT
  local i before
  set_setting retention_count "$1"
  for ((i = 0; i <= rounds; i++)); do
    await_idle
    before=$(launcher_ns)
    sql -d postgres -o /dev/null -c "CALL pgbackup.run('template1')" 2>/dev/null
    await_idle
    awk -v ns="$(($(launcher_ns) - before))" 'BEGIN { print ns / 1e6 }'
  done | tail -n "$rounds" | median
}
