# shellcheck shell=bash
# PostgreSQL's own regression database through every path, by prove as in test_tap.sh, which is needed. Adds to
# passed and failed.

test_regression_database() {
  heading "PostgreSQL's regression database"
  local log=$scratch/regression-database.log raw=$scratch/regression-database-raw status=0 good bad
  copy_regression_source "$("$PG_CONFIG" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')" "$scratch/source" || return 0
  # This formatter shows a comparison as soon as it has been made.
  PGBACKUP_REGRESSION_SOURCE=$scratch/source run_prove -v --formatter TAP::Formatter::Console \
    test/regression_database/restored.pl 2>&1 | tee "$log" || status=$?
  good=$(tap_lines '^ok ' | wc -l)
  bad=$(tap_lines '^not ok ' | wc -l)
  if [ "$status" != 0 ] && [ "$bad" = 0 ]; then
    bad=1 # it ended early
    tap_logs
  fi
  count "regression database" "$good" "$bad" 0
}

# A copy of the source, which the user of the tests can read; one failure where it cannot be had.
copy_regression_source() { # MAJOR FOLDER
  local source=${PGBACKUP_REGRESSION_SOURCE:-}
  if [ -z "$source" ] && ! source=$("$root/test/regression_database/install" "$1"); then
    count "PostgreSQL $1: its source cannot be had" 0 1 0
    return 1
  fi
  [ ! -e "$source/complete" ] || note "source package $(cat "$source/complete")"
  cp -R "$source" "$2"
  give_to_user "$2"
}
