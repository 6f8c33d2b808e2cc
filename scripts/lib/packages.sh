# shellcheck shell=bash
# Installs what the project needs from the distribution's own packages, by purpose, and only what is
# missing. Needs common.sh and user.sh.
#
#   PG_CONFIG  build for this PostgreSQL; its packages are then the caller's affair
#   PG_MAJOR   take this major version instead of the newest installed or, where none is, the newest
#              that the distribution carries

packages_for() { # build | test | clang | s3 | page | extensions | chroot | source | bench_backup | bench_parallel | bench_proof | bench_watch | bench_confined | bench_transfer
  case $1 in
    build)
      echo g++ make cmake ninja-build pkg-config libpq-dev libcurl4-openssl-dev libssl-dev \
        libzstd-dev liblz4-dev libxxhash-dev zlib1g-dev libcli11-dev libfmt-dev libpugixml-dev "$(boost_json_package)"
      if [ -z "${PG_CONFIG:-}" ]; then
        find_pg_major
        echo "postgresql-$PG_MAJOR" "postgresql-server-dev-$PG_MAJOR"
      fi
      ;;
    test)
      echo libgtest-dev libipc-run-perl libfaketime age zstd lz4 ccache tzdata curl openssl python3 python3-aiosmtpd
      ;;
    clang) echo clang libclang-rt-dev clang-format clang-tidy shellcheck ;;
    s3) echo mmdebstrap debian-archive-keyring curl openssl ;;
    page) echo chromium ;;
    extensions) # that tests use where they are; TAP tests skip without them
      if [ -z "${PG_CONFIG:-}" ]; then
        find_pg_major
        ! has_candidate "postgresql-$PG_MAJOR-cron" || echo "postgresql-$PG_MAJOR-cron"
      fi
      ;;
    chroot) echo mmdebstrap debian-archive-keyring ;;
    source) echo debian-archive-keyring bzip2 xz-utils ;;
    bench_backup) echo rclone zstd postgresql-contrib ;;
    bench_parallel) echo zstd postgresql-contrib pgbackrest ;;
    bench_proof) echo age zstd postgresql-contrib openssl time ;;
    bench_watch | bench_confined) echo postgresql-contrib ;;
    bench_transfer) echo rclone awscli time ;;
  esac
}

install_packages() { # PURPOSE…
  command -v apt-get >/dev/null || fail "only Debian and its kin are known here; docs/architecture.md
lists what a build needs elsewhere"
  local purpose wanted=() missing
  # Which packages are right is asked of apt, which may know nothing on a fresh machine.
  if ! some_postgresql_known; then update_package_lists; fi
  for purpose; do
    # shellcheck disable=SC2207 # package names have no blanks
    wanted+=($(packages_for "$purpose"))
  done
  missing=$(missing_packages "${wanted[@]}")
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086
  note "installing" $missing
  # shellcheck disable=SC2086
  if [ -n "$(unknown_packages $missing)" ]; then update_package_lists; fi
  # shellcheck disable=SC2086
  apt_install $missing
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null)" = 'ii ' ]; }

missing_packages() {
  local package
  for package; do is_installed "$package" || echo "$package"; done | sort -u
}

unknown_packages() {
  local package
  for package; do has_candidate "$package" || echo "$package"; done
}
# Reads all of apt's answer: a reader that stops early would make a failure of the pipe.
has_candidate() {
  LC_ALL=C apt-cache policy "$1" 2>/dev/null |
    awk '$1 == "Candidate:" && $2 != "(none)" { found = 1 } END { exit !found }'
}

# Boost's JSON library: Debian 12 has it beside its default Boost, whose version is too old.
boost_json_package() {
  local package
  for package in libboost-json-dev libboost-json1.83-dev libboost-json1.81-dev; do
    if is_installed "$package" || has_candidate "$package"; then
      echo "$package"
      return
    fi
  done
  echo libboost-json-dev
}

known_pg_majors() {
  apt-cache search --names-only '^postgresql-server-dev-[0-9]+$' 2>/dev/null |
    sed -n 's/^postgresql-server-dev-\([0-9]*\) .*/\1/p' | sort -n
}
some_postgresql_known() { [ -n "${PG_CONFIG:-}${PG_MAJOR:-}" ] || [ -n "$(known_pg_majors)" ]; }

installed_pg_majors() { # dpkg-query fails when it knows none
  { dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 'postgresql-[0-9]*' 2>/dev/null || :; } |
    sed -n 's/^ii *postgresql-\([0-9]*\)$/\1/p' | sort -n
}

find_pg_major() {
  local major
  [ -z "${PG_MAJOR:-}" ] || return 0
  for major in $(installed_pg_majors); do
    if is_installed "postgresql-server-dev-$major"; then PG_MAJOR=$major; fi
  done
  [ -n "${PG_MAJOR:-}" ] || PG_MAJOR=$(known_pg_majors | tail -1)
  [ -n "${PG_MAJOR:-}" ] || fail "no PostgreSQL server package is known to apt; set PG_CONFIG"
}

# The pg_config of the PostgreSQL to build for.
find_pg_config() {
  if [ -z "${PG_CONFIG:-}" ]; then
    find_pg_major
    PG_CONFIG=/usr/lib/postgresql/$PG_MAJOR/bin/pg_config
  fi
  PG_CONFIG=$(command -v "$PG_CONFIG") || fail "there is no $PG_CONFIG"
  export PG_CONFIG

  bindir=$("$PG_CONFIG" --bindir)
}

update_package_lists() { apt_quietly update; }

apt_quietly() {
  local log
  log=$(mktemp)
  if ! LOG_LINES=30 quietly "$log" as_root env DEBIAN_FRONTEND=noninteractive apt-get -q \
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 "$@"; then
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

apt_install() {
  case " $* " in
    *" postgresql-[0-9]"* | *' postgresql-'[0-9]*) without_new_cluster apt_install_now "$@" ;;
    *) apt_install_now "$@" ;;
  esac
}
apt_install_now() {
  apt_quietly install -y --no-install-recommends "$@" 2>/dev/null && return
  update_package_lists # what the lists promise may be gone from the mirror
  apt_quietly install -y --no-install-recommends "$@" || fail "apt-get could not install: $*"
}

# Installing a server package makes and starts a cluster "main" unless its settings say no. Where
# there was no server before, they go on saying no; else the file is put back as it was.
cluster_settings=/etc/postgresql-common/createcluster.conf
without_new_cluster() { # COMMAND…
  local had_server kept
  had_server=$(installed_pg_majors)
  is_installed postgresql-common || apt_install_now postgresql-common
  kept=$(mktemp)
  [ ! -e "$cluster_settings" ] || cat "$cluster_settings" >"$kept"
  {
    grep -v '^[[:space:]]*create_main_cluster' "$kept" || :
    echo 'create_main_cluster = false'
  } | as_root tee "$cluster_settings" >/dev/null
  local status=0
  "$@" || status=$?
  if [ -n "$had_server" ] && [ -s "$kept" ]; then
    as_root tee "$cluster_settings" >/dev/null <"$kept"
  fi
  rm -f "$kept"
  return "$status"
}
