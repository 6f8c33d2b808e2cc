# shellcheck shell=bash
# A real S3 server for this run. Needs common.sh, user.sh and the packages for s3.

# Starts it from a copy of the tree (see copy_tree) and exports what DIR/env says.
start_s3() { # TREE PORT [STORE]
  "$root/test/s3/install" >"$scratch/s3-install.log" 2>&1 || {
    tail -n 20 "$scratch/s3-install.log" >&2
    return 1
  }
  s3_tree=$1
  at_exit+=(stop_s3)
  quietly "$scratch/s3-start.log" as_user env PGBACKUP_TEST_CACHE="${PGBACKUP_TEST_CACHE:-}" \
    "$s3_tree/test/s3/ceph" start "$scratch/s3" "$2" "${3:-memstore}" || return 1
  # shellcheck source=/dev/null
  . "$scratch/s3/env"
}

stop_s3() {
  [ ! -d "$scratch/s3" ] || quietly "$scratch/s3-stop.log" as_user "$s3_tree/test/s3/ceph" stop "$scratch/s3"
}
