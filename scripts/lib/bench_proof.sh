# shellcheck shell=bash
# scripts/bench proof: what encrypting and proving a backup cost. Needs common.sh, user.sh, build.sh,
# cluster.sh, s3.sh, bench_database.sh and bench_transfer.sh.
#
# Where rows are packed and fingerprinted there is no switch to turn either off, so the stages that bytes
# pass are measured alone, too, on the beginning of the same database's archive.

bench_prepare_proof() {
  install_tree "$scratch/install.log"
  build_bench_program stages
}

bench_proof() {
  recipient=$(as_user "$bindir/pgbackup" keygen -o "$scratch/key")
  start_bench_cluster "pgbackup.identity_file = '$scratch/key'"
  run_rounds proof_round
  compare_runs '/^encrypted$/ plain pipe-age' '/verify|restore/ restore' '// pipe-age'
  bench_stages
}

proof_round() {
  local storage=s3://$PGBACKUP_TEST_S3_BUCKET/bench plain encrypted level
  measure pipe-age bash -o pipefail -c \
    "'$bindir/pg_dump' -Fc -Z0 bench | zstd -q -1 | age -r '$recipient' >/dev/null"
  backup plain "$storage"
  set_setting encryption_recipients "$recipient"
  backup encrypted "$storage"
  set_setting encryption_recipients ''
  plain=$(backup_id 'NOT')
  encrypted=$(backup_id '')
  for level in checksum archive restore; do
    measure_sql "verify-$level" -v "backup=$plain" -v "level=$level" -f "$scratch/tree/bench/verify.sql"
  done
  restore restore "$plain"
  restore encrypted-restore "$encrypted"
  forget
}

# The only backup that is encrypted or, with NOT, that is not.
backup_id() { # NOT|''
  local id
  id=$(sql -At -d postgres -c "SELECT id FROM pgbackup.list(status => 'completed') WHERE $1 manifest ? 'encryption'")
  [[ $id =~ ^[0-9]+$ ]] || fail "there is not one backup that was to be encrypted and one that was not"
  echo "$id"
}

archive_mib=512

bench_stages() {
  local archive=$scratch/archive bytes
  results=$scratch/stages.results
  as_user bash -c "'$bindir/pg_dump' -Fc -Z0 bench 2>'$scratch/pg_dump.log' | head -c ${archive_mib}M" >"$archive"
  give_to_user "$archive"
  bytes=$(stat -c %s "$archive")
  [ "$bytes" != 0 ] || fail "pg_dump wrote nothing: $(cat "$scratch/pg_dump.log")"
  heading "$rounds rounds of the stages alone"
  for ((round = 1; round <= rounds; round++)); do
    as_user "$scratch/stages" --recipient "$recipient" --identity "$scratch/key" "$archive" |
      tee -a "$results"
    timed age /dev/null age -r "$recipient" <"$archive"
    time_of_openssl "$bytes" >>"$results"
  done
  heading "medians of $rounds rounds, $((bytes >> 20)) MiB of an archive, one core"
  "$root/bench/summary" "$results" | awk -v bytes="$bytes" '
    BEGIN { printf "%-24s %9s %9s\n", "", "GB/s", "CPU s/GB" }
    { printf "%-24s %9.2f %9.2f\n", $1, bytes / 1e9 / $2, $3 / (bytes / 1e9) }'
}

# As a line of results: what its cipher, which is age's, needs for that many bytes in chunks of age's size.
time_of_openssl() { # BYTES
  openssl speed -mr -seconds 1 -bytes 65536 -evp chacha20-poly1305 2>/dev/null |
    awk -F: -v bytes="$1" '$1 == "+F" { printf "openssl %.4f %.4f\n", bytes / $4, bytes / $4 }'
}
