# shellcheck shell=bash
# The unit tests. Adds to passed and failed.

test_unit() {
  heading "unit tests"
  run_unit_tests "$root/build" "unit"
}

# Two processes for each processor share the tests, which wait a lot: one for each test, as ctest has it, would
# take longer to start than to run, most of all under sanitizers.
run_unit_tests() { # BUILD-FOLDER TITLE [PREFIX…]
  local log=$scratch/unit-$2 folder=$1 title=$2 good=0 bad=0 skipped=0 shard shards name failures
  shift 2
  # A credentials file must belong to whoever reads it: the tests run as the caller, S3 as the user.
  for name in S3 SWIFT STS STS_BARE; do
    name=PGBACKUP_TEST_${name}_CREDENTIALS_FILE
    [ -n "${!name:-}" ] || continue
    install -m 0600 "${!name}" "$scratch/caller-$name"
    local -x "$name=$scratch/caller-$name"
  done
  shards=$((2 * $(nproc)))
  # shellcheck disable=SC2016 # for the inner shell
  seq 0 $((shards - 1)) | GTEST_TOTAL_SHARDS=$shards xargs -P "$shards" -I{} \
    timeout 1500 env GTEST_SHARD_INDEX={} "$@" sh -c '"$1" >"$2.$3" 2>&1 || :' \
    sh "$folder/unit_tests" "$log" {} || :
  for ((shard = 0; shard < shards; shard++)); do
    good=$((good + $(tests_that '      OK' "$log.$shard")))
    skipped=$((skipped + $(tests_that ' SKIPPED' "$log.$shard")))
    failures=$(tests_that ' FAILED ' "$log.$shard")
    # One that crashed, or never ended, ends its process and says no more.
    if ! grep -q '^\[==========\] .* ran\.' "$log.$shard"; then failures=$((failures + 1)); fi
    bad=$((bad + failures))
    [ "$failures" = 0 ] || failed_tests "$log.$shard" | tail -n 150
  done
  count "$title" "$good" "$bad" "$skipped"
}

tests_that() { # OUTCOME LOG
  grep -cE "^\[ $1 \] .*\([0-9]+ ms\)$" "$2" || :
}

# What the tests said that failed, or that never came to their end.
failed_tests() { # LOG
  awk '
    /^\[ RUN      \]/ { text = ""; inside = 1 }
    inside { text = text $0 "\n" }
    /^\[       OK \]|^\[  SKIPPED \]/ { inside = 0 }
    /^\[  FAILED  \]/ && inside { printf "%s", text; inside = 0 }
    END { if (inside) printf "%s", text }' "$1"
}
