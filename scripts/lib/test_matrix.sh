# shellcheck shell=bash
# scripts/test once more on other releases of Debian: each its own PostgreSQL, compiler and libraries,
# in a chroot (test/matrix/install) with namespaces of its own for mounts and processes, which end with
# it. Adds to passed and failed. Needs packages.sh, user.sh, test_regression_database.sh.

every_major=(15 17 18)
matrix_parts=(unit regress tap) # unless scripts/test was asked for another

test_matrix() {
  heading "other releases"
  if [ "$(id -u)" != 0 ]; then
    note "a chroot needs root: skipped"
    count "matrix" 0 0 1
    return
  fi
  if ! unshare --mount --pid --fork true 2>/dev/null; then
    note "no namespaces of mounts and processes can be made here: skipped"
    count "matrix" 0 0 1
    return
  fi
  local major
  at_exit+=(stop_matrix)
  # shellcheck disable=SC2154 # majors comes from scripts/test
  for major in "${majors[@]:-${every_major[@]}}"; do matrix_major "$major"; done
}

matrix_major() { # MAJOR
  local major=$1 chroot log=$scratch/matrix-$1.log made=$scratch/matrix-$1-install.log
  # shellcheck disable=SC2046
  if ! chroot=$("$root/test/matrix/install" "$major" $(matrix_packages "$major") 2>"$made"); then
    tail -n 40 "$made"
    count "PostgreSQL $major: no chroot" 0 1 0
    return
  fi
  note "PostgreSQL $major on Debian $(head -n 1 "$chroot/complete")"
  copy_tree "$scratch/matrix-$major"
  if [ "${matrix_parts[*]}" = regression-database ]; then
    copy_regression_source "$major" "$scratch/matrix-$major/build-source" || return 0
  fi
  run_in_chroot "$chroot" "$scratch/matrix-$major" "$major" >"$log" 2>&1 &
  matrix_pid=$!
  wait "$matrix_pid" || :
  matrix_pid=''
  count_matrix "$major" "$log"
}

matrix_packages() ( # MAJOR
  unset PG_CONFIG
  # shellcheck disable=SC2030 # for this subshell alone
  PG_MAJOR=$1
  # shellcheck disable=SC2317 # called by packages_for
  boost_json_package() { echo libboost-json-dev; } # install knows its other name
  packages_for build
  packages_for test
)

# Its first process is in a session of its own, so that Ctrl-C reaches this script alone, which then
# ends all of them by ending that one. What ccache keeps stays in the chroot.
run_in_chroot() { # CHROOT TREE MAJOR
  # shellcheck disable=SC2016 # for the inner shell
  exec unshare --mount --pid --fork --kill-child setsid bash -c '
    set -e
    mount --make-rprivate /
    mount --rbind /dev "$1/dev"
    mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm"
    mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
    mount -t proc proc "$1/proc"
    mkdir -p "$1/pgbackup" "$1/var/cache/ccache"
    mount --bind "$2" "$1/pgbackup"
    exec 9>"$1.run"
    flock 9
    shift 2
    chroot "$@"
  ' chroot "$1" "$2" "$1" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root LANG=C.UTF-8 PG_MAJOR="$3" CCACHE_DIR=/var/cache/ccache PGBACKUP_TEST_S3=no PGBACKUP_TEST_PROGRAMS=no \
    PGBACKUP_TEST_PORT="$port" PGBACKUP_TEST_JOBS="${PGBACKUP_TEST_JOBS:-2}" \
    PGBACKUP_REGRESSION_SOURCE=/pgbackup/build-source \
    nice /pgbackup/scripts/test "${matrix_parts[@]}" </dev/null
}

matrix_pid=''
stop_matrix() {
  [ -n "$matrix_pid" ] || return 0
  kill -KILL "$matrix_pid" 2>/dev/null
  wait "$matrix_pid" 2>/dev/null
}

# The lines that count wrote there count here; a run that ended early is one failure more.
count_matrix() { # MAJOR LOG
  local part good bad skipped any=0 failed_there counted=0
  while IFS=$'\t' read -r part good bad skipped; do
    any=$((any + 1))
    [ "$bad" = 0 ] || [ "$counted" != 0 ] || matrix_failures "$2"
    counted=$((counted + bad))
    count "PostgreSQL $1: $part" "$good" "$bad" "$skipped"
  done < <(sed -nE \
    -e 's/^[✓✗] (.*): ([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\1\t\2\t\3\t0\5/p' \
    -e 's/^[✓✗] (.*): ([0-9]+) passed(, ([0-9]+) skipped)?$/\1\t\2\t0\t0\4/p' "$2" | sed 's/\t0\([0-9]\)/\t\1/g')
  failed_there=$(sed -n 's/^[0-9]* passed, \([0-9]*\) failed$/\1/p' "$2" | tail -n 1)
  if [ "$any" != ${#matrix_parts[@]} ] || [ "${failed_there:-none}" != "$counted" ]; then
    [ "$counted" != 0 ] || matrix_failures "$2"
    count "PostgreSQL $1: ended early" 0 1 0
  fi
}
matrix_failures() { tail -n 250 "$1"; } # LOG
