# shellcheck shell=bash
# scripts/bench parallel: dump and restore by lanes, beside what one would use instead. Needs common.sh,
# user.sh, build.sh, cluster.sh, s3.sh and bench_database.sh. Reads content.
#
# What compresses does so with zstd -1, but for pg_dump's own formats, which keep their default.

bench_prepare_parallel() { install_tree "$scratch/install.log"; }

bench_parallel() {
  mkdir -m 0700 "$scratch/other"
  start_bench_cluster "archive_mode = on" "archive_command = 'true'"
  prepare_pgbackrest
  run_rounds parallel_round
  compare_runs '/restore|analyze/ pg_restore-j2' '// pipe'
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
    set_setting split_table_size 1GB
    backup pgbackup-split "s3://$PGBACKUP_TEST_S3_BUCKET/bench"
    set_setting split_table_size 16GB
  fi

  sql -d postgres -c 'CREATE DATABASE back TEMPLATE template0'
  forget_dropped_files
  measure pg_restore-j2 "$bindir/pg_restore" --exit-on-error -j2 -d back "$other/archive"
  measure analyze-j2 "$bindir/vacuumdb" -q --analyze-only -j2 -d back # a restore by pgbackup ends with it
  sql -d postgres -c 'DROP DATABASE back'
  while read -r id name; do
    restore "$name-restore" "$id"
    [ "$name" != pgbackup ] || restore pgbackup-restore-only "$id" 'statistics => false' # as pg_restore does
  done < <(sql -At -F ' ' -d postgres -c "SELECT id, CASE WHEN id = min(id) OVER () THEN 'pgbackup' ELSE 'pgbackup-split' END
             FROM pgbackup.list(status => 'completed')")
  rm -rf "${other:?}"/*
  forget
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
