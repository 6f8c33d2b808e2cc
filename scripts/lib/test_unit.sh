# shellcheck shell=bash
# The unit tests, by ctest. Adds to passed and failed.

test_unit() {
  heading "unit tests"
  run_ctest "$root/build" "unit"
}

run_ctest() { # BUILD-FOLDER TITLE [PREFIX…]
  local log=$scratch/ctest-$2.log summary bad total skipped name
  local folder=$1 title=$2
  shift 2
  # A credentials file must belong to whoever reads it: the tests run as the caller, S3 as the user.
  for name in S3 SWIFT STS STS_BARE; do
    name=PGBACKUP_TEST_${name}_CREDENTIALS_FILE
    [ -n "${!name:-}" ] || continue
    install -m 0600 "${!name}" "$scratch/caller-$name"
    local -x "$name=$scratch/caller-$name"
  done
  "$@" ctest --test-dir "$folder" --output-on-failure --no-tests=error -j "$(nproc)" >"$log" 2>&1 || :
  summary=$(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of \([0-9]*\).*/\1 \2/p' "$log")
  read -r bad total <<<"${summary:-1 1}"
  skipped=$(grep -c '\*\*\*Skipped' "$log" || :)
  if [ "$bad" != 0 ]; then
    grep -vE ' Passed +[0-9.]+ sec$|^ +Start +[0-9]+:' "$log" | tail -n 150
  fi
  count "$title" $((total - bad - skipped)) "$bad" "$skipped"
}
