# shellcheck shell=bash
# Builds and installs the tree. Needs common.sh, user.sh, packages.sh and find_pg_config.

# The server module's objects fit one PostgreSQL, the CMake folder one place: start over when either
# has changed.
forget_other_builds() {
  local stamp=$root/build/built-for server
  server=$("$PG_CONFIG" --version --includedir-server)
  if [ -e "$root/build/CMakeCache.txt" ] &&
    ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$root/build/CMakeCache.txt"; then
    rm -rf "$root/build"
  fi
  if [ "$(cat "$stamp" 2>/dev/null)" != "$server" ]; then
    find "$root/src" -name '*.o' -delete
    rm -f "$root/pgbackup.so"
    mkdir -p "$root/build"
    echo "$server" >"$stamp"
  fi
}

run_make() { # ARGUMENT…
  local options=()
  if command -v ccache >/dev/null; then options=(CXX='ccache g++'); fi
  if builds_tests; then options+=(WERROR=-Werror); fi
  nice make -s -C "$root" PG_CONFIG="$PG_CONFIG" "${options[@]}" "$@"
}

builds_tests() { grep -qs '^PGBACKUP_TESTS:BOOL=ON' "$root/build/CMakeCache.txt"; }

# Builds the server module and the executable; with "tests", the unit tests too.
build_tree() { # LOG [tests]
  local tests=OFF unity=ON
  if [ "${2:-}" = tests ] || builds_tests; then
    tests=ON unity=${PGBACKUP_TEST_UNITY:-OFF}
  fi
  forget_other_builds
  if ! grep -qs "^PGBACKUP_TESTS:BOOL=$tests" "$root/build/CMakeCache.txt" ||
    [ ! -e "$root/build/build.ninja" ]; then
    quietly "$1" cmake -S "$root" -B "$root/build" -G Ninja -DPGBACKUP_TESTS="$tests" \
      -DPGBACKUP_UNITY="$unity" -DPGBACKUP_WERROR="$tests"
  fi
  quietly "$1" run_make -j "$(nproc)"
  [ "${2:-}" != tests ] || quietly "$1" nice cmake --build "$root/build"
}

# Installs into PostgreSQL's folders. Without root the files are made in the scratch folder first:
# nothing in the tree may end up owned by root.
install_tree() { # LOG
  if [ "$(id -u)" = 0 ] || [ -w "$("$PG_CONFIG" --pkglibdir)" ]; then
    quietly "$1" run_make install
  else
    quietly "$1" run_make install DESTDIR="$scratch/installed"
    quietly "$1" as_root cp -R --no-preserve=ownership "$scratch/installed/." /
  fi
}

# Builds a program of bench/ and puts it into the scratch folder.
build_bench_program() { # NAME
  quietly "$scratch/build.log" cmake -S "$root" -B "$root/build" -G Ninja -DPGBACKUP_BENCH=ON
  quietly "$scratch/build.log" nice cmake --build "$root/build" --target "$1"
  install -m 0755 "$root/build/$1" "$scratch/$1"
}

# Builds a target in a folder of its own, by clang: with sanitizers it compiles in a third of g++'s
# time, and what two compilers accept is better checked. With PGBACKUP_UNITY, because the build by g++
# shows already that no source lacks an #include.
build_by_clang() { # LOG FOLDER TARGET CMAKE-ARGUMENT…
  local log=$1 folder=$2 target=$3
  shift 3
  grep -qs '^CMAKE_CXX_COMPILER:.*clang' "$folder/CMakeCache.txt" || rm -rf "$folder"
  quietly "$log" cmake -S "$root" -B "$folder" -G Ninja -DCMAKE_CXX_COMPILER=clang++ \
    -DPGBACKUP_UNITY=ON -DPGBACKUP_WERROR=ON "$@" || return
  quietly "$log" nice cmake --build "$folder" --target "$target"
}
