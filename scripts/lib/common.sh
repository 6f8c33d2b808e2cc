# shellcheck shell=bash
# What every script needs: where the tree is, how to speak, a scratch folder. Read, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=$(basename "$0")

if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' dim='' green='' red='' plain=''
fi

fail() {
  told=yes
  printf '%s%s: %s%s\n' "$red" "$program" "$*" "$plain" >&2
  exit 1
}

note() { printf '%s%s%s\n' "$dim" "$*" "$plain"; }

heading() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# Prints the comment block at the top of the running script.
print_help() { sed -n '2,/^[^#]/{/^#/{s/^# \{0,1\}//;p;};}' "$0"; }

# Tenths of a second since the epoch, and a span of them as text.
now() { echo "$(($(date +%s%N) / 100000000))"; }
elapsed() { # SINCE
  local tenths=$(($(now) - $1))
  echo "$((tenths / 10)).$((tenths % 10)) s"
}

# Runs a command with its output in a log that is shown, its end first, only when it fails.
quietly() { # LOG COMMAND…
  local log=$1
  shift
  "$@" >"$log" 2>&1 && return
  local status=$?
  printf '%sfailed: %s%s\n' "$red" "$*" "$plain" >&2
  tail -n "${LOG_LINES:-60}" "$log" >&2
  told=yes
  return "$status"
}

# scratch: a folder of this run, owned by the unprivileged user, removed at the end. What the script
# has to end before that stands in at_exit, last started first.
scratch=''
at_exit=()
told=no # why the script ends early
make_scratch() { # NAME
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/pgbackup-$1.XXXXXX")
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}
clean_up() {
  local status=$? i
  if [ "$status" != 0 ] && [ "$told" = no ]; then
    printf '%s%s: ended early, status %s%s\n' "$red" "$program" "$status" "$plain" >&2
  fi
  cd /
  for ((i = ${#at_exit[@]} - 1; i >= 0; i--)); do ${at_exit[i]} || :; done
  [ -n "$scratch" ] && rm -rf "$scratch"
  return 0
}
