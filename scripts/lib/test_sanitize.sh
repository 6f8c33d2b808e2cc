# shellcheck shell=bash
# The unit tests once more, under the address and undefined-behaviour sanitizers. Adds to passed and
# failed.

test_sanitize() {
  heading "unit tests under sanitizers"
  local folder=$root/build-sanitize log=$scratch/sanitize.log
  if ! {
    [ -e "$folder/build.ninja" ] ||
      cmake -S "$root" -B "$folder" -G Ninja -DPGBACKUP_SANITIZE=address,undefined
    nice cmake --build "$folder" --target unit_tests
  } >"$log" 2>&1; then
    tail -n 40 "$log"
    count "sanitizers" 0 1 0
    return
  fi
  run_ctest "$folder" "sanitizers"
}
