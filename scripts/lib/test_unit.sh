# shellcheck shell=bash
# The unit tests, by ctest. Adds to passed and failed.

test_unit() {
  heading "unit tests"
  run_ctest "$root/build" "unit"
}

run_ctest() { # BUILD-FOLDER TITLE
  local log=$scratch/ctest-$2.log summary bad total skipped
  # A credentials file must belong to whoever reads it: the tests run as the caller, S3 as the user.
  if [ -n "${PGBACKUP_TEST_S3_CREDENTIALS_FILE:-}" ]; then
    install -m 0600 "$PGBACKUP_TEST_S3_CREDENTIALS_FILE" "$scratch/credentials-of-caller"
    local -x PGBACKUP_TEST_S3_CREDENTIALS_FILE=$scratch/credentials-of-caller
  fi
  ctest --test-dir "$1" --output-on-failure --no-tests=error -j "$(nproc)" >"$log" 2>&1 || :
  summary=$(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of \([0-9]*\).*/\1 \2/p' "$log")
  read -r bad total <<<"${summary:-1 1}"
  skipped=$(grep -c '\*\*\*Skipped' "$log" || :)
  if [ "$bad" != 0 ]; then
    grep -vE ' Passed +[0-9.]+ sec$|^ +Start +[0-9]+:' "$log" | tail -n 150
  fi
  count "$2" $((total - bad - skipped)) "$bad" "$skipped"
}
