# shellcheck shell=bash
# The fuzzers of test/fuzz, each for PGBACKUP_TEST_FUZZ_SECONDS (20), as many at a time as there are
# processors. They are built in build-sanitize, with the core that the unit tests have there; what they have
# learned stays there, too, for the next run. Adds to passed and failed.

test_fuzz() {
  heading "fuzzers"
  local folder=$root/build-sanitize log=$scratch/fuzz.log good=0 bad=0 family
  if ! build_sanitized "$log" "$folder" fuzzers; then
    count "fuzzers" 0 1 0
    return
  fi
  mkdir -p "$scratch/fuzz" "$folder/findings"
  export -f run_fuzzer
  # shellcheck disable=SC2016 # for the inner shell
  for family in "$root"/test/fuzz/*_fuzz.cpp; do basename "$family" _fuzz.cpp; done |
    fuzz_root=$root fuzz_log=$scratch/fuzz xargs -P "$(nproc)" -I{} bash -c 'run_fuzzer "$1"' fuzz {}
  for family in "$root"/test/fuzz/*_fuzz.cpp; do
    family=$(basename "$family" _fuzz.cpp)
    log=$scratch/fuzz/$family.log
    if grep -q '^ended well$' "$log"; then
      good=$((good + 1))
      note "$family: $(sed -n 's/^stat::number_of_executed_units: */inputs: /p' "$log")"
    else
      bad=$((bad + 1))
      show_finding "$family" "$log"
    fi
  done
  count "fuzzers" "$good" "$bad" 0
}

# Quiet: the log is read afterwards. An input that takes 10 s or 2 GB is a finding, too.
run_fuzzer() { # FAMILY
  local found=$fuzz_root/build-sanitize/corpus/$1
  mkdir -p "$found"
  {
    nice "$fuzz_root/build-sanitize/test/fuzz/fuzz_$1" -max_total_time="${PGBACKUP_TEST_FUZZ_SECONDS:-20}" \
      -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
      -artifact_prefix="$fuzz_root/build-sanitize/findings/$1-" "$found" "$fuzz_root/test/fuzz/corpus/$1" &&
      echo "ended well"
  } >"$fuzz_log/$1.log" 2>&1 || :
}

show_finding() { # FAMILY LOG
  local input
  grep -E 'does not hold|runtime error|^SUMMARY|ERROR: ' "$2" | head -n 5 || tail -n 20 "$2"
  input=$(sed -n 's/.*Test unit written to //p' "$2" | head -n 1)
  [ -z "$input" ] || printf '%s\n' "the input: $input" \
    "once more:  $root/build-sanitize/test/fuzz/fuzz_$1 $input" \
    "a finding that is mended belongs into a unit test and, as a seed, into test/fuzz/corpus/$1"
}
