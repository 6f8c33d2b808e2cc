# shellcheck shell=bash
# Who runs what. PostgreSQL refuses to run as root, so root's servers and tests run as an
# unprivileged user; everybody else's run as themselves. Needs common.sh.

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "this needs root, and there is no sudo: $*"
  fi
}

# The user of clusters and tests, known once PostgreSQL's packages are installed.
unprivileged_user() {
  if [ "$(id -u)" != 0 ]; then
    id -un
  elif [ -n "${PGBACKUP_USER:-}" ]; then
    echo "$PGBACKUP_USER"
  elif id postgres >/dev/null 2>&1; then
    echo postgres
  else
    echo nobody
  fi
}

# Runs a command as that user, in the scratch folder.
as_user() {
  if [ "$(id -u)" != 0 ]; then
    (cd "$scratch" && "$@")
  else
    (cd "$scratch" && runuser -u "$(unprivileged_user)" -- env HOME="$scratch" "$@")
  fi
}

give_to_user() { # PATH…
  [ "$(id -u)" != 0 ] || chown -R "$(unprivileged_user)": "$@"
}

# Copies what tests read into the scratch folder: the tree may stand where the user cannot look.
copy_tree() { # DIR
  mkdir -p "$1"
  tar -C "$root" -c --exclude=./.git --exclude='./build*' --exclude='*.o' --exclude='*.bc' . |
    tar -C "$1" -x --no-same-owner
  give_to_user "$1"
}
