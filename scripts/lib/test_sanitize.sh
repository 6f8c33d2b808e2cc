# shellcheck shell=bash
# The unit tests once more under sanitizers. Adds to passed and failed.

# What build-sanitize is made for: these tests and the fuzzers, which share the core.
build_sanitized() { # LOG FOLDER TARGET
  build_by_clang "$@" -DPGBACKUP_SANITIZE=address,undefined -DPGBACKUP_FUZZ=ON
}

# Memory errors and undefined behaviour, in all of them.
test_sanitize() {
  heading "unit tests under the address and undefined-behaviour sanitizers"
  if build_sanitized "$scratch/sanitizers.log" "$root/build-sanitize" unit_tests; then
    run_ctest "$root/build-sanitize" "sanitizers"
  else
    count "sanitizers" 0 1 0
  fi
}

# Data races, in those that start threads. The sanitizer wants its addresses where it expects them,
# which a kernel that scatters them widely does not grant.
test_threads() {
  heading "unit tests under the thread sanitizer"
  local fixed=()
  ! setarch -R true 2>/dev/null || fixed=(setarch -R)
  if build_by_clang "$scratch/threads.log" "$root/build-threads" unit_tests -DPGBACKUP_SANITIZE=thread; then
    run_ctest "$root/build-threads" "threads" "${fixed[@]}"
  else
    count "threads" 0 1 0
  fi
}
