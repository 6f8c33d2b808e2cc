# shellcheck shell=bash
# Backups under faults, by prove as in test_tap.sh, which is needed; one line a run, as it ends. Adds
# to passed and failed.

test_faults() {
  heading "backups under faults"
  local log=$scratch/faults.log raw=$scratch/faults-raw status=0 good bad
  local tests=(test/faults/servers.pl test/faults/kinds.pl test/faults/random.pl)
  [ -z "${PGBACKUP_FAULT_SEED:-}" ] || tests=(test/faults/servers.pl test/faults/random.pl)
  # This formatter shows a run as soon as it has ended.
  run_prove -v --formatter TAP::Formatter::Console "${tests[@]}" 2>&1 | tee "$log" || status=$?
  good=$(tap_lines '^ok ' | wc -l)
  bad=$(tap_lines '^not ok ' | wc -l)
  if [ "$status" != 0 ] && [ "$bad" = 0 ]; then
    bad=1 # it ended early
    tap_logs
  fi
  count "faults" "$good" "$bad" 0
}
