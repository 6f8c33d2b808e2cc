# shellcheck shell=bash
# scripts/bench backup. Needs common.sh, user.sh, build.sh, cluster.sh, s3.sh and bench_database.sh.

bench_prepare_backup() { install_tree "$scratch/install.log"; }

bench_backup() {
  heading "a database of scale $scale, content: $content"
  mkdir -m 0700 "$scratch/store"
  start_cluster "${PGBACKUP_BENCH_PORT:-5795}" "pgbackup.schedule = ''" \
    "pgbackup.storage = 'file://$scratch/store'" \
    "pgbackup.s3_endpoint = '$PGBACKUP_TEST_S3_ENDPOINT'" \
    "pgbackup.s3_credentials_file = '$PGBACKUP_TEST_S3_CREDENTIALS_FILE'" \
    "shared_buffers = '1GB'" "max_wal_size = '8GB'" "fsync = off" "autovacuum = off"
  sql -d postgres -c 'CREATE EXTENSION pgbackup' -c 'CREATE DATABASE bench'
  if [ "$content" = text ]; then
    sql -d bench -v rows=$((scale * 78000)) -f "$scratch/tree/bench/log_lines.sql"
  else
    quietly "$scratch/pgbench.log" as_user "$bindir/pgbench" -i -s "$scale" bench
  fi
  sql -d bench -c 'CHECKPOINT'
  size=$(sql -At -d postgres -c "SELECT pg_size_pretty(pg_database_size('bench'))")
  echo "$size"

  run_rounds backup_round
  compare_backups "$results"
}

backup_round() {
  measure pipe bash -o pipefail -c "'$bindir/pg_dump' -Fc -Z0 bench | zstd -q -3 >/dev/null"
  backup file "file://$scratch/store"
  backup s3 "s3://$PGBACKUP_TEST_S3_BUCKET/bench"
  forget
  measure rclone bash -o pipefail -c "'$bindir/pg_dump' -Fc bench |
    rclone --config '$scratch/rclone.conf' rcat --s3-chunk-size 32M 'bench:$PGBACKUP_TEST_S3_BUCKET/rclone.dump'"
}

compare_backups() { # RESULTS
  "$root/bench/summary" "$1" | awk '
    { name[NR] = $1; wall[$1] = $2; cpu[$1] = $3; peak[$1] = $4; temporary[$1] = $5 }
    END {
      printf "%-8s %9s %9s %12s %14s %12s %12s\n", "", "wall s", "CPU s", "agent MiB", "temporary MB", "wall/pipe", "wall/rclone"
      for (i = 1; i <= NR; i++)
        printf "%-8s %9.2f %9.2f %12s %14s %12.2f %12.2f\n", name[i], wall[name[i]], cpu[name[i]], \
          peak[name[i]] ? sprintf("%.1f", peak[name[i]] / 1024) : "-", \
          peak[name[i]] ? sprintf("%.1f", temporary[name[i]] / 1e6) : "-", \
          wall[name[i]] / wall["pipe"], wall[name[i]] / wall["rclone"]
    }'
}
