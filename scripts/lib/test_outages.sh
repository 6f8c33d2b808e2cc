# shellcheck shell=bash
# Every way to stop backups of test/perl/Outages/, by prove as in test_tap.sh, which is needed: a line each, as it
# ends, and all of them again as a table. Adds to passed and failed.

test_outages() {
  heading "outages"
  local log=$scratch/outages.log raw=$scratch/outages-raw status=0 good bad skipped
  [ -n "${PGBACKUP_TEST_SMALL_DISK:-}" ] || make_small_disks
  # They mostly wait.
  run_prove -v --formatter TAP::Formatter::Console -j "${PGBACKUP_TEST_JOBS:-8}" test/outages/*.pl >"$log" 2>&1 || status=$?
  good=$(tap_lines '^ok ' | grep -ivc '# SKIP' || :)
  skipped=$(tap_lines '^ok ' | grep -ic '# SKIP' || :)
  bad=$(tap_lines '^not ok ' | wc -l)
  tap_lines '^(not )?ok .*, resumed ' | sed -E 's/^ok [0-9]+ - /  /; s/^not ok [0-9]+ - /✗ /' | sort
  if [ "$status" != 0 ]; then
    [ "$bad" != 0 ] || bad=1 # it ended early
    grep -E '^# ' "$log" || tail -n 40 "$log"
  fi
  count "outages" "$good" "$bad" "$skipped"
}
