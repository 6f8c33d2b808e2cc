# shellcheck shell=bash
# Real S3 servers for this run. Needs common.sh, user.sh and the packages for s3.

# One Ceph, started from a copy of the tree (see copy_tree); exports what its env file says.
start_s3() { # TREE PORT [STORE]
  at_exit+=(stop_s3)
  install_s3 && start_s3_server "$1" ceph s3 "$2" "${3:-memstore}" || return 1
  # shellcheck source=/dev/null
  . "$scratch/s3/env"
}

# Beside that Ceph the others that the storage has to work with: Swift, and a Ceph with roles to
# assume, which gives other error codes. Uses PORT … PORT+30.
start_other_s3() { # TREE PORT
  local swift sts status=0
  start_s3_server "$1" swift swift "$2" &
  swift=$!
  start_s3_server "$1" ceph sts "$(($2 + 20))" memstore sts &
  sts=$!
  wait "$swift" || status=1
  wait "$sts" || status=1
  [ "$status" = 0 ] || return 1
  # shellcheck source=/dev/null
  . "$scratch/swift/env"
  # shellcheck source=/dev/null
  . "$scratch/sts/env"
}

install_s3() {
  "$root/test/s3/install" >"$scratch/s3-install.log" 2>&1 && return
  tail -n 20 "$scratch/s3-install.log" >&2
  return 1
}

start_s3_server() { # TREE PROGRAM DIR PORT OPTION…
  local program=$1/test/s3/$2 dir=$3
  shift 3
  echo "$program" >"$scratch/$dir.program"
  quietly "$scratch/$dir-start.log" as_user env PGBACKUP_TEST_CACHE="${PGBACKUP_TEST_CACHE:-}" \
    "$program" start "$scratch/$dir" "$@"
}

stop_s3() {
  local dir
  for dir in s3 swift sts; do
    [ ! -d "$scratch/$dir" ] ||
      quietly "$scratch/$dir-stop.log" as_user "$(cat "$scratch/$dir.program")" stop "$scratch/$dir"
  done
}

# The keys of that server, for clients that want them in another form.
s3_key() { awk -v key="$1" '$1 == key { print $3 }' "$PGBACKUP_TEST_S3_CREDENTIALS_FILE"; }

# For rclone: the remote "bench" in rclone.conf of the scratch folder.
write_rclone_config() {
  {
    printf '[bench]\ntype = s3\nprovider = Ceph\nendpoint = %s\n' "$PGBACKUP_TEST_S3_ENDPOINT"
    printf 'access_key_id = %s\n' "$(s3_key aws_access_key_id)"
    printf 'secret_access_key = %s\n' "$(s3_key aws_secret_access_key)"
  } >"$scratch/rclone.conf"
  chmod 0600 "$scratch/rclone.conf"
  give_to_user "$scratch/rclone.conf"
}
