# shellcheck shell=bash
# A simulated year of 60 databases, by prove as in test_tap.sh, which is needed. Adds to passed and failed.

test_year() {
  heading "a year"
  local log=$scratch/year.log raw=$scratch/year-raw status=0 good bad
  PGBACKUP_TEST_DAYS=${PGBACKUP_TEST_DAYS:-365} PGBACKUP_TEST_DAILY=10 PGBACKUP_TEST_WEEKLY=50 PGBACKUP_TEST_OUTAGES=0.3 \
    run_prove -v --formatter TAP::Formatter::Console test/t/089_year.pl 2>&1 | tee "$log" || status=$?
  good=$(tap_lines '^ok ' | wc -l)
  bad=$(tap_lines '^not ok ' | wc -l)
  if [ "$status" != 0 ] && [ "$bad" = 0 ]; then
    bad=1 # it ended early
    tap_logs
  fi
  count "a year" "$good" "$bad" 0
}
