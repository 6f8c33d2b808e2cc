# shellcheck shell=bash
# What the measurements of whole databases share: a cluster with one to back up, runs that are measured,
# tables of them. Needs common.sh, user.sh and cluster.sh. Reads content, gigabytes and rounds.

# A cluster with the database "bench", whose backups go to the S3 server by two lanes.
start_bench_cluster() { # LINE…
  heading "$gigabytes GB, content: $content"
  mkdir -m 0700 "$scratch/store"
  start_cluster "${PGBACKUP_BENCH_PORT:-5795}" "pgbackup.schedule = ''" \
    "pgbackup.storage = 's3://$PGBACKUP_TEST_S3_BUCKET/bench'" \
    "pgbackup.s3_endpoint = '$PGBACKUP_TEST_S3_ENDPOINT'" \
    "pgbackup.s3_credentials_file = '$PGBACKUP_TEST_S3_CREDENTIALS_FILE'" \
    "pgbackup.compression = 'zstd:1'" "pgbackup.format = 'parallel'" "pgbackup.jobs = 2" \
    "shared_buffers = '1GB'" "max_wal_size = '4GB'" "fsync = off" "autovacuum = off" \
    "max_locks_per_transaction = 1000" "$@"
  sql -d postgres -c 'CREATE EXTENSION pgbackup' -c 'CREATE DATABASE bench'
  fill_database
  sql -d bench -c 'VACUUM ANALYZE' -c 'CHECKPOINT'
  size=$(sql -At -d postgres -c "SELECT pg_size_pretty(pg_database_size('bench'))")
  echo "$size"
}

fill_database() {
  case $content in
    pgbench) quietly "$scratch/pgbench.log" as_user "$bindir/pgbench" -i -s "$(for_gigabytes 67)" bench ;;
    documents) sql -d bench -o /dev/null -v rows="$(for_gigabytes 1350000)" -f "$scratch/tree/bench/documents.sql" ;;
    single) sql -d bench -v rows="$(for_gigabytes 5200000)" -f "$scratch/tree/bench/log_lines.sql" ;;
    small)
      sql -d bench -o /dev/null -v tables=10000 -v rows="$(for_gigabytes 1000)" \
        -f "$scratch/tree/bench/small_tables.sql"
      ;;
    *) fail "unknown content $content, see scripts/bench --help" ;;
  esac
}
for_gigabytes() { # NUMBER-FOR-ONE
  awk -v one="$1" -v gigabytes="$gigabytes" 'BEGIN { n = int(one * gigabytes); print (n > 0 ? n : 1) }'
}

set_setting() { # NAME VALUE
  sql -d postgres -c "ALTER SYSTEM SET pgbackup.$1 = '$2'" -c 'SELECT pg_reload_conf()' -o /dev/null
  until [ "$(sql -At -d postgres -c "SHOW pgbackup.$1")" = "$2" ]; do :; done
}

run_rounds() { # COMMAND…
  results=$scratch/results
  heading "$rounds rounds"
  for ((round = 1; round <= rounds; round++)); do
    note "round $round"
    "$@"
  done
  heading "medians of $rounds rounds, $content database of $size, $(nproc) cores"
}

measure() { # NAME COMMAND…
  local name=$1
  shift
  if ! as_user env -u AWS_CA_BUNDLE "$scratch/tree/bench/measure" "$results" "$name" "$scratch/store" "$@" \
    >"$scratch/$name.log" 2>&1; then
    tail -n 20 "$scratch/$name.log" >&2
    fail "$name failed"
  fi
}
measure_sql() { # NAME ARGUMENT-OF-PSQL…
  local name=$1
  shift
  measure "$name" "$bindir/psql" -X -q -v ON_ERROR_STOP=1 -d postgres "$@"
}
backup() { # NAME STORAGE
  measure_sql "$1" -c "CALL pgbackup.run('bench', storage => '$2')"
}
# ext4 passes over inodes that were freed minutes ago one by one, as long as it has them in its caches: each of
# ten thousand tables would be made the slower, the more of them have been dropped before.
forget_dropped_files() {
  if [ "$content" != small ]; then return; fi
  if [ -w /proc/sys/vm/drop_caches ]; then
    sync
    echo 1 >/proc/sys/vm/drop_caches
  else
    note "only root can drop the system's caches: dropped tables make restores slower"
  fi
}
restore() { # NAME BACKUP-ID [ARGUMENT-OF-RESTORE]
  forget_dropped_files
  measure_sql "$1" -c "CALL pgbackup.run_restore($2, 'back', jobs => 2${3:+, $3})"
  sql -d postgres -c 'DROP DATABASE back'
}
# What was stored is not needed any more; removing it is not part of what is measured.
forget() {
  sql -d postgres -o /dev/null \
    -c 'SELECT pgbackup.delete(id, delete_objects => true) FROM pgbackup.list()'
  until [ "$(sql -At -d postgres -c 'SELECT count(*) FROM pgbackup.removals')" = 0 ]; do
    read -r -t 0.1 <> <(:) || :
  done
}

# The table of all results. Of the arguments, the first whose pattern is in a run's name says which runs
# it is compared with.
compare_runs() { # "/PATTERN/ NAME…"…
  "$root/bench/summary" "$results" | awk -v cores="$(nproc)" -v rules="$(printf '%s;' "$@")" '
    BEGIN { rule_count = split(rules, rule, ";") - 1 }
    { name[NR] = $1; wall[$1] = $2; cpu[$1] = $3; peak[$1] = $4 }
    function ratios(of,  i, j, words, count, text) {
      for (i = 1; i <= rule_count; i++) {
        count = split(rule[i], words, " ")
        if (of !~ substr(words[1], 2, length(words[1]) - 2)) continue
        for (j = 2; j <= count; j++)
          text = text sprintf("%s%.2f of %s", j > 2 ? ", " : "", wall[of] / wall[words[j]], words[j])
        return text
      }
    }
    END {
      printf "%-24s %9s %9s %10s %10s    %s\n", "", "wall s", "CPU s", "cores used", "agent MiB", "ratio"
      for (i = 1; i <= NR; i++)
        printf "%-24s %9.2f %9.2f %9.0f%% %10s    %s\n", name[i], wall[name[i]], cpu[name[i]], \
          100 * cpu[name[i]] / wall[name[i]] / cores, peak[name[i]] ? sprintf("%.1f", peak[name[i]] / 1024) : "-", \
          ratios(name[i])
    }'
}
