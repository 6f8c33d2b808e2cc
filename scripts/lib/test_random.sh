# shellcheck shell=bash
# Random databases through every format, by prove as in test_tap.sh, which is needed; one line a database, as it ends.
# Adds to passed and failed.

test_random_schemas() {
  heading "random databases"
  local log=$scratch/random.log raw=$scratch/random-raw status=0 good bad
  # This formatter shows a database as soon as it has ended.
  run_prove -v --formatter TAP::Formatter::Console test/random/schemas.pl 2>&1 | tee "$log" || status=$?
  good=$(tap_lines '^ok ' | wc -l)
  bad=$(tap_lines '^not ok ' | wc -l)
  if [ "$status" != 0 ] && [ "$bad" = 0 ]; then
    bad=1 # it ended early
    tap_logs
  fi
  count "random databases" "$good" "$bad" 0
}
