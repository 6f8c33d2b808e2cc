# shellcheck shell=bash
# Whole-system tests, by prove with the modules that PostgreSQL's development package carries.
# Adds to passed and failed; counts single assertions.

# prove as the unprivileged user, in the copy of the tree; what the tests write goes into the scratch
# folder, their raw output also into the folder $raw.
run_prove() ( # ARGUMENT…
  pgxs=$(dirname "$(dirname "$("$PG_CONFIG" --pgxs)")")
  mkdir -p "$raw" "$scratch/tap/data" "$scratch/tap/log" "$scratch/tap/tmp"
  give_to_user "$raw" "$scratch/tap"
  cd "$scratch" || exit
  # shellcheck disable=SC2030,SC2154 # for this subshell alone; tree comes from scripts/test
  export PATH=$bindir:$PATH${programs:+:$programs} PG_REGRESS=$pgxs/test/regress/pg_regress PG_CONFIG \
    TESTDATADIR=$scratch/tap/data TESTLOGDIR=$scratch/tap/log TESTDIR=$scratch/tap \
    PERL_TEST_HARNESS_DUMP_TAP=$raw PG_TEST_TIMEOUT_DEFAULT=${PG_TEST_TIMEOUT_DEFAULT:-120} \
    TMPDIR=$scratch/tap/tmp PGBACKUP_SOURCE_DIR=$tree
  # shellcheck disable=SC2030
  unset PGHOST PGPORT PGUSER PGDATABASE PGOPTIONS
  # shellcheck disable=SC2016 # for the inner shell
  as_user sh -c 'cd "$1" && shift && exec "$@"' sh "$tree" \
    prove -I "$pgxs/test/perl" -I test/perl "$@"
)

test_tap() {
  heading "whole-system tests"
  local log=$scratch/prove.log raw=$scratch/tap-raw status=0
  local good bad skipped
  [ -n "${PGBACKUP_TEST_SMALL_DISK:-}" ] || make_small_disks
  install_test_extensions
  install_programs
  run_prove --timer -j "${PGBACKUP_TEST_JOBS:-2}" "${tap_tests[@]}" >"$log" 2>&1 || status=$?
  good=$(tap_lines '^ok ' | grep -ivc '# SKIP' || :)
  skipped=$(tap_lines '^ok ' | grep -ic '# SKIP' || :)
  bad=$(tap_lines '^not ok ' | grep -vc '# TODO' || :)
  if [ "$status" != 0 ]; then
    # files that died without a failed assertion count as one
    bad=$((bad + $(grep -cE '^test/t/.*\(Wstat: [1-9].*Failed: 0\)' "$log" || :)))
    [ "$bad" != 0 ] || bad=1
    tail -n 150 "$log"
    tap_logs
  else
    grep -E '^(\[[0-9:]+\] )?test/t/|^All tests|^Files=|^# measured' "$log" || :
  fi
  tap_lines '^ok .*# skip' | sed 's/.*# skip/skipped:/' | sort | uniq -c
  count "tap" "$good" "$bad" "$skipped"
}

# What monitoring/ is written for. Without it 044_monitoring skips most.
install_programs() {
  with_programs || return 0
  programs=$("$root/test/programs/install" prometheus prometheus-postgres-exporter \
    prometheus-sql-exporter 2>"$scratch/programs.log") || cat "$scratch/programs.log"
}

# File systems so small that a backup, or a restored table, fills them. Only root can make them, and not in
# every container: elsewhere the tests of a full disk skip.
make_small_disks() {
  [ "$(id -u)" = 0 ] || return 0
  make_small_disk small || return 0
  export PGBACKUP_TEST_SMALL_DISK=$scratch/small
  make_small_disk small_tablespace || return 0
  export PGBACKUP_TEST_SMALL_TABLESPACE=$scratch/small_tablespace
}
make_small_disk() { # NAME
  mkdir -p "$scratch/$1"
  mount -t tmpfs -o size=4m,mode=0755 "pgbackup-$1" "$scratch/$1" 2>/dev/null || return
  at_exit+=("umount $scratch/$1")
  give_to_user "$scratch/$1"
}

# Extensions that no package has: one with configuration tables, for the fixture with everything, and one
# that stands for TimescaleDB, where that is not installed. Elsewhere what needs them skips.
install_test_extensions() {
  local name folder
  extensions=$("$PG_CONFIG" --sharedir)/extension test_extensions=()
  [ "$(id -u)" = 0 ] && [ -w "$extensions" ] || return 0
  at_exit+=(remove_test_extensions)
  for name in everything_test timescaledb; do
    folder=$tree/test/fixtures/${name%_test}
    [ ! -e "$extensions/$name.control" ] || cmp -s "$extensions/$name.control" "$folder/$name.control" || continue
    test_extensions+=("$name")
    install -m 0644 "$folder/$name".control "$folder/$name"--1.0.sql "$extensions/"
  done
}
remove_test_extensions() {
  local name
  for name in "${test_extensions[@]}"; do rm -f "$extensions/$name".control "$extensions/$name"--1.0.sql; done
}

tap_lines() { find "$raw" -type f -exec grep -hE "$1" {} + 2>/dev/null || :; }

# What the tests that failed and their servers had to say. Where their logs are depends on the
# version.
tap_logs() {
  local test file
  sed -n 's,^test/t/\([0-9a-z_]*\)\.pl .*(Wstat.*,\1,p' "$log" | while read -r test; do
    find "$scratch/tap" -name "regress_log_$test" -exec tail -n 5 {} +
    find "$scratch/tap" -name "${test}_*.log" | sort | while read -r file; do
      echo "--- $(basename "$file")"
      grep -E 'WARNING|ERROR|FATAL|PANIC|pgbackup' "$file" | tail -n 15 || :
    done
  done
}
