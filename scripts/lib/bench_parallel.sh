# shellcheck shell=bash
# scripts/bench parallel: dump and restore by lanes, beside what one would use instead. Needs common.sh,
# user.sh, build.sh, cluster.sh, s3.sh and bench_backup.sh. Reads content, gigabytes and rounds.
#
# What compresses does so with zstd -1, but for pg_dump's own formats, which keep their default.

bench_prepare_parallel() { install_tree "$scratch/install.log"; }

bench_parallel() {
  heading "$gigabytes GB, content: $content"
  mkdir -m 0700 "$scratch/store" "$scratch/other"
  start_cluster "${PGBACKUP_BENCH_PORT:-5795}" "pgbackup.schedule = ''" \
    "pgbackup.storage = 's3://$PGBACKUP_TEST_S3_BUCKET/bench'" \
    "pgbackup.s3_endpoint = '$PGBACKUP_TEST_S3_ENDPOINT'" \
    "pgbackup.s3_credentials_file = '$PGBACKUP_TEST_S3_CREDENTIALS_FILE'" \
    "pgbackup.compression = 'zstd:1'" "pgbackup.format = 'parallel'" "pgbackup.jobs = 2" \
    "shared_buffers = '1GB'" "max_wal_size = '16GB'" "fsync = off" "autovacuum = off" \
    "max_locks_per_transaction = 1000" "archive_mode = on" "archive_command = 'true'"
  sql -d postgres -c 'CREATE EXTENSION pgbackup' -c 'CREATE DATABASE bench'
  fill_database
  sql -d bench -c 'VACUUM ANALYZE' -c 'CHECKPOINT'
  size=$(sql -At -d postgres -c "SELECT pg_size_pretty(pg_database_size('bench'))")
  echo "$size"
  prepare_pgbackrest

  results=$scratch/results
  heading "$rounds rounds"
  for ((round = 1; round <= rounds; round++)); do
    note "round $round"
    parallel_round
  done
  heading "medians of $rounds rounds, $content database of $size, $(nproc) cores"
  compare_parallel "$results"
}

fill_database() {
  case $content in
    pgbench) quietly "$scratch/pgbench.log" as_user "$bindir/pgbench" -i -s $((gigabytes * 67)) bench ;;
    documents) sql -d bench -o /dev/null -v rows=$((gigabytes * 1350000)) -f "$scratch/tree/bench/documents.sql" ;;
    single) sql -d bench -v rows=$((gigabytes * 5200000)) -f "$scratch/tree/bench/log_lines.sql" ;;
    small) sql -d bench -o /dev/null -v tables=10000 -v rows=$((gigabytes * 1000)) -f "$scratch/tree/bench/small_tables.sql" ;;
    *) fail "unknown content $content, see scripts/bench --help" ;;
  esac
}

parallel_round() {
  local other=$scratch/other id
  measure pipe bash -o pipefail -c "'$bindir/pg_dump' -Fc -Z0 bench | zstd -q -1 >/dev/null"
  measure pg_dump-Fc "$bindir/pg_dump" -Fc -f "$other/archive" bench
  measure pg_dump-Fd-j2 "$bindir/pg_dump" -Fd -j2 -f "$other/directory" bench
  rm -rf "$other/directory"
  if [ -e "$scratch/pgbackrest.conf" ]; then
    measure pgbackrest pgbackrest --config="$scratch/pgbackrest.conf" --stanza=bench --type=full backup
  fi
  backup pgbackup "s3://$PGBACKUP_TEST_S3_BUCKET/bench"
  if [ "$content" = single ] || [ "$content" = pgbench ]; then
    set_split 1GB
    backup pgbackup-split "s3://$PGBACKUP_TEST_S3_BUCKET/bench"
    set_split 16GB
  fi

  sql -d postgres -c 'CREATE DATABASE back TEMPLATE template0'
  measure pg_restore-j2 "$bindir/pg_restore" --exit-on-error -j2 -d back "$other/archive"
  sql -d postgres -c 'DROP DATABASE back'
  while read -r id name; do
    measure "$name-restore" "$bindir/psql" -X -q -v ON_ERROR_STOP=1 -d postgres \
      -c "CALL pgbackup.run_restore($id, 'back', jobs => 2)"
    sql -d postgres -c 'DROP DATABASE back'
  done < <(sql -At -F ' ' -d postgres -c "SELECT id, CASE WHEN id = min(id) OVER () THEN 'pgbackup' ELSE 'pgbackup-split' END
             FROM pgbackup.list(status => 'completed')")
  rm -rf "${other:?}"/*
  forget
}

set_split() { # SIZE
  sql -d postgres -c "ALTER SYSTEM SET pgbackup.split_table_size = '$1'" -c 'SELECT pg_reload_conf()' -o /dev/null
  until [ "$(sql -At -d postgres -c 'SHOW pgbackup.split_table_size')" = "$1" ]; do :; done
}

# A repository of pgBackRest on the same S3 server: a copy of the files of the whole cluster.
prepare_pgbackrest() {
  command -v pgbackrest >/dev/null || return 0
  local endpoint=${PGBACKUP_TEST_S3_TLS_ENDPOINT#https://}
  cat >"$scratch/pgbackrest.conf" <<CONF
[global]
repo1-type=s3
repo1-path=/pgbackrest
repo1-s3-bucket=$PGBACKUP_TEST_S3_BUCKET
repo1-s3-endpoint=${endpoint%:*}
repo1-storage-port=${endpoint#*:}
repo1-s3-region=us-east-1
repo1-s3-uri-style=path
repo1-s3-key=$(s3_key aws_access_key_id)
repo1-s3-key-secret=$(s3_key aws_secret_access_key)
repo1-storage-verify-tls=n
repo1-retention-full=1
compress-type=zst
compress-level=1
process-max=2
start-fast=y
archive-check=n
archive-mode-check=n
log-path=$scratch
lock-path=$scratch
spool-path=$scratch
[bench]
pg1-path=$cluster
pg1-port=$PGPORT
pg1-socket-path=$PGHOST
pg1-user=postgres
CONF
  chmod 0600 "$scratch/pgbackrest.conf"
  give_to_user "$scratch/pgbackrest.conf"
  quietly "$scratch/pgbackrest.log" as_user pgbackrest --config="$scratch/pgbackrest.conf" --stanza=bench stanza-create
}

compare_parallel() { # RESULTS
  "$root/bench/summary" "$1" | awk -v cores="$(nproc)" '
    { name[NR] = $1; wall[$1] = $2; cpu[$1] = $3; peak[$1] = $4 }
    END {
      printf "%-24s %9s %9s %10s %10s %16s\n", "", "wall s", "CPU s", "cores used", "agent MiB", "ratio"
      for (i = 1; i <= NR; i++) {
        base = name[i] ~ /restore/ ? "pg_restore-j2" : "pipe"
        printf "%-24s %9.2f %9.2f %9.0f%% %10s %6.2f of %s\n", name[i], wall[name[i]], cpu[name[i]], \
          100 * cpu[name[i]] / wall[name[i]] / cores, peak[name[i]] ? sprintf("%.1f", peak[name[i]] / 1024) : "-", \
          wall[name[i]] / wall[base], base
      }
    }'
}
