# shellcheck shell=bash
# A private cluster in the scratch folder: its own socket folder, which nobody else can enter, no
# network, no part in any other cluster's life. Needs common.sh, user.sh and find_pg_config.

cluster=''

# Makes and starts the cluster; further arguments are lines for postgresql.conf.
start_cluster() { # PORT LINE…
  cluster=$scratch/cluster
  export PGPORT=$1 PGHOST=$scratch/socket PGUSER=postgres PGDATABASE=postgres
  unset PGPASSWORD PGSERVICE PGHOSTADDR PGOPTIONS
  shift
  mkdir -p "$PGHOST"
  chmod 0700 "$scratch"
  give_to_user "$scratch"
  quietly "$scratch/initdb.log" as_user "$bindir/initdb" -D "$cluster" -U postgres -A trust \
    -E UTF8 --locale=C.UTF-8 --no-sync
  {
    echo "port = $PGPORT"
    echo "unix_socket_directories = '$PGHOST'"
    echo "listen_addresses = ''"
    echo "shared_preload_libraries = 'pgbackup'"
    # Containers often have too little /dev/shm for a parallel index build.
    echo "dynamic_shared_memory_type = mmap"
    printf '%s\n' "$@"
  } >>"$cluster/postgresql.conf"
  at_exit+=(stop_cluster)
  if ! as_user "$bindir/pg_ctl" -D "$cluster" -w -s -l "$scratch/server.log" start; then
    tail -n 40 "$scratch/server.log" >&2
    fail "the private cluster did not start"
  fi
}

stop_cluster() {
  [ -e "$cluster/postmaster.pid" ] || return 0
  as_user "$bindir/pg_ctl" -D "$cluster" -w -s -m fast stop ||
    as_user "$bindir/pg_ctl" -D "$cluster" -w -s -m immediate stop
}

# psql as a script wants it: no settings of the user, stop at the first error.
sql() { as_user "$bindir/psql" -X -q -v ON_ERROR_STOP=1 "$@"; }
