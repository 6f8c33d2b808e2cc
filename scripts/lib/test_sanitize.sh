# shellcheck shell=bash
# The unit tests once more under sanitizers. Adds to passed and failed.

# Memory errors and undefined behaviour, in all of them.
test_sanitize() {
  heading "unit tests under the address and undefined-behaviour sanitizers"
  run_sanitized "sanitizers" "$root/build-sanitize" address,undefined
}

# Data races, in those that start threads. The sanitizer wants its addresses where it expects them,
# which a kernel that scatters them widely does not grant.
test_threads() {
  heading "unit tests under the thread sanitizer"
  local fixed=()
  ! setarch -R true 2>/dev/null || fixed=(setarch -R)
  run_sanitized "threads" "$root/build-threads" thread "${fixed[@]}"
}

run_sanitized() { # TITLE FOLDER SANITIZERS [PREFIX…]
  local title=$1 folder=$2 sanitizers=$3
  shift 3
  if build_by_clang "$scratch/$title.log" "$folder" unit_tests -DPGBACKUP_SANITIZE="$sanitizers"; then
    run_ctest "$folder" "$title" "$@"
  else
    count "$title" 0 1 0
  fi
}
