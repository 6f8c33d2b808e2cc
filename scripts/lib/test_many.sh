# shellcheck shell=bash
# Databases with very many objects, by prove as in test_tap.sh, which is needed. Adds to passed and
# failed.

test_many() {
  heading "many objects"
  local log=$scratch/many.log raw=$scratch/many-raw status=0 good bad
  export PGBACKUP_TEST_TABLES=${PGBACKUP_TEST_TABLES:-50000}
  export PGBACKUP_TEST_LARGE_OBJECTS=${PGBACKUP_TEST_LARGE_OBJECTS:-1000000}
  PG_TEST_TIMEOUT_DEFAULT=7200 run_prove -v --formatter TAP::Formatter::Console \
    test/t/018_many_objects.pl 2>&1 | tee "$log" || status=$?
  good=$(tap_lines '^ok ' | wc -l)
  bad=$(tap_lines '^not ok ' | wc -l)
  if [ "$status" != 0 ] && [ "$bad" = 0 ]; then
    bad=1 # it ended early
    tap_logs
  fi
  count "many objects" "$good" "$bad" 0
}
