# shellcheck shell=bash
# A part of scripts/test that mostly waits, run while another one works. Its output and counts come
# when it is finished. Needs common.sh and test_tap.sh.

beside_pid=''

start_beside() { # PART
  make_small_disks # what a part mounts has to be known to this shell, which ends it
  set -m           # a process group of its own, to be ended as one
  (
    set +m
    # shellcheck disable=SC2030 # for this subshell alone
    passed=0 failed=0 since=$(now)
    "test_$1"
    note "$(elapsed "$since"), beside what is above"
    echo "$passed $failed" >"$scratch/beside.counts"
  ) >"$scratch/beside.out" 2>&1 </dev/null &
  beside_pid=$!
  set +m
  at_exit+=(stop_beside)
}

finish_beside() { # PART
  local good=0 bad=1
  wait "$beside_pid" || :
  beside_pid=''
  cat "$scratch/beside.out"
  if [ -e "$scratch/beside.counts" ]; then
    read -r good bad <"$scratch/beside.counts"
    # shellcheck disable=SC2031
    passed=$((passed + good)) failed=$((failed + bad))
  else
    count "$1 ended early" "$good" "$bad" 0
  fi
}

stop_beside() {
  [ -n "$beside_pid" ] || return 0
  kill -TERM -- "-$beside_pid" 2>/dev/null
  wait "$beside_pid" 2>/dev/null
}
