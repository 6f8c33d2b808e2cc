# shellcheck shell=bash
# What the scripts of this folder share. Read by them, not run.

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# What is unpacked once and stays.
cache_dir() {
  if [ -n "${PGBACKUP_TEST_CACHE:-}" ]; then
    echo "$PGBACKUP_TEST_CACHE"
  elif [ "$(id -u)" = 0 ] || [ -e /var/cache/pgbackup-test/s3/complete ]; then
    echo /var/cache/pgbackup-test # of root, who has perhaps unpacked it for everybody
  else
    echo "${HOME:?}/.cache/pgbackup-test"
  fi
}

# The folder `install` unpacks into.
servers_dir() { echo "$(cache_dir)/s3"; }

# The archive this machine's apt uses, itself and not its security or backports companions.
debian_mirror() {
  local mirror
  mirror=$(apt-get indextargets --format "\$(LABEL) \$(REPO_URI)" 'Created-By: Packages' |
    awk '$1 == "Debian" { print $2; exit }')
  [ -n "$mirror" ] || fail "apt of this machine knows no Debian mirror: run apt-get update, or add one"
  echo "$mirror"
}

# The releases of Debian that carry a major version of PostgreSQL, the first to be tried first.
debian_suites() { # MAJOR
  case $1 in
    15) echo bookworm ;;
    17) echo trixie ;;
    18) echo testing sid ;;
    *) fail "no Debian release is known to carry PostgreSQL $1" ;;
  esac
}

# Points the variables loader, libraries and python at the unpacked servers, whose programs run
# through their own dynamic loader, so no chroot and no root is needed.
find_servers() {
  servers=$(servers_dir)
  [ -e "$servers/complete" ] || fail "the S3 servers are missing: run $(dirname "$0")/install first"
  local lib
  lib=$(echo "$servers"/usr/lib/*-linux-gnu)
  # shellcheck disable=SC2034 # used by the scripts that read this file
  lib_dir=$lib
  libraries=$lib:$lib/ceph:$servers/lib/$(basename "$lib")
  loader=$(find "$lib" "$servers/lib/$(basename "$lib")" -maxdepth 1 -name 'ld-linux*.so.*' \
    2>/dev/null | head -1)
  [ -n "$loader" ] || fail "no dynamic loader in $servers"
  python=$servers/usr/bin/$(basename "$(readlink -f "$servers/usr/bin/python3")")
}

run_server_program() { # NAME ARGUMENT…
  local name=$1
  shift
  "$loader" --library-path "$libraries" "$servers/usr/bin/$name" "$@"
}

run_server_python() { # ARGUMENT…
  PYTHONHOME=$servers/usr PYTHONPATH=$servers/usr/lib/python3/dist-packages \
    "$loader" --library-path "$libraries" "$python" "$@"
}

# A private certificate authority and a certificate for 127.0.0.1 and localhost:
# DIR/ca.pem and DIR/server.pem (key and certificate).
make_certificates() { # DIR BUCKET
  local dir=$1 bucket=$2
  (
    cd "$dir"
    umask 077
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
      -subj '/CN=pgbackup test CA' -keyout ca.key -out ca.pem \
      -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign'
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=localhost' \
      -keyout server.key -out server.csr
    printf 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:%s.localhost\n' "$bucket" >server.ext
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
      -extfile server.ext -out server.crt
    cat server.key server.crt >server.pem
    chmod a+r ca.pem
  ) >"$dir/certificates.log" 2>&1 || fail "could not make certificates, see $dir/certificates.log"
}

random_text() { # LENGTH
  LC_ALL=C tr -dc 'A-Z0-9' </dev/urandom | head -c "$1" || :
}

# An AWS credentials file, 0600.
write_credentials() { # FILE ACCESS_KEY SECRET
  (
    umask 077
    printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$2" "$3" >"$1"
  )
}

# Makes the bucket. The secret goes to curl on its standard input, never into argv.
make_bucket() { # ENDPOINT BUCKET ACCESS_KEY SECRET
  local answer
  answer=$(printf 'user = "%s:%s"\n' "$3" "$4" |
    curl -sS -o /dev/null -w '%{http_code}' -K - --aws-sigv4 aws:amz:us-east-1:s3 \
      -H 'x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' \
      -X PUT "$1/$2")
  [ "$answer" = 200 ] || fail "could not make the bucket $2: HTTP status $answer"
}

# DIR/env, to be read with ".": what the tests need to know. SLOT (S3, SWIFT, STS) is part of the
# variables' names, so that one run can have a server of each kind; SERVER says what it is, with the
# version that decides how it behaves.
write_env() { # DIR SLOT SERVER ENDPOINT TLS_ENDPOINT BUCKET
  cat >"$1/env" <<E
export PGBACKUP_TEST_$2_SERVER='$3'
export PGBACKUP_TEST_$2_ENDPOINT='$4'
export PGBACKUP_TEST_$2_TLS_ENDPOINT='$5'
export PGBACKUP_TEST_$2_CA_FILE='$1/ca.pem'
export PGBACKUP_TEST_$2_BUCKET='$6'
export PGBACKUP_TEST_$2_REGION='us-east-1'
export PGBACKUP_TEST_$2_CREDENTIALS_FILE='$1/credentials'
E
}

wait_for() { # URL LOGS
  for _ in $(seq 400); do
    curl -sk -o /dev/null "$1" && return
    sleep 0.05
  done
  fail "$1 does not answer, see $2"
}

# Ends the processes whose ids are in the files given, each only when it still is one that was
# started for DIR. What they hold is throw-away, so they get no time to save it.
end_processes() { # DIR PID_FILE…
  local dir=$1 file pid
  shift
  for file; do
    [ -s "$file" ] || continue
    while read -r pid; do
      if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$dir/"; then
        kill -9 "$pid" 2>/dev/null || :
      fi
    done <"$file"
    rm -f "$file"
  done
}
