# shellcheck shell=bash
# Form and static analysis. Adds to passed and failed; one check per file and tool.

# The tree is formatted and checked with this major version of clang's tools; others differ in taste.
clang_tools=14

test_lint() {
  heading "format and lint"
  local sources scripts texts
  # shellcheck disable=SC2207 # no file of ours has blanks in its name
  sources=($(tree_files | grep -E '\.(cpp|h)$'))
  # shellcheck disable=SC2207
  scripts=($(tree_files | while read -r file; do
    case $(head -c 100 "$root/$file" | tr -d '\0' | head -n 1) in
      '#!'*sh | '# shellcheck shell='*) echo "$file" ;;
    esac
  done))
  # shellcheck disable=SC2207
  texts=($(tree_files | grep -vE '^expected/|\.(png|dump|zst|age)$'))
  lint_at_once "no trailing blanks" have_no_trailing_blanks "${texts[@]}"
  lint_files "shellcheck" shellcheck_file "${scripts[@]}"
  # shellcheck disable=SC2046
  lint_files "documentation" docs_file $(tree_files | grep '\.md$')
  lint_files "error messages" messages_file docs/troubleshooting.md
  lint_files "alerts and reasons" runbook_file docs/operations.md
  lint_files "rooms" rooms_file docs/architecture.md
  lint_files "version" version_file META.json pgbackup.control
  if has_clang_tool clang-format; then lint_at_once "clang-format" format_files "${sources[@]}"; fi
  if has_clang_tool clang-tidy; then lint_tidy; fi
}

# Files of the tree, relative to its root, without what was built.
tree_files() {
  (cd "$root" && find . \( -name .git -o -name 'build*' -type d -o -name .cache -o -name results \
    -o -name tmp_check \) -prune -o -type f ! -name '*.o' ! -name '*.so' ! -name '*.bc' -printf '%P\n' | sort)
}

has_clang_tool() {
  local version
  version=$("$1" --version | sed -n 's/.*version \([0-9]*\)\..*/\1/p')
  [ "$version" = "$clang_tools" ] && return
  note "$1 $version is not $clang_tools, the version this tree is checked with: skipped"
  return 1
}

lint_files() { # TITLE CHECK FILE…
  local title=$1 check=$2 file good=0 bad=0
  shift 2
  for file; do
    if (cd "$root" && "$check" "$file"); then good=$((good + 1)); else bad=$((bad + 1)); fi
  done
  count "$title" "$good" "$bad" 0
}

# For checks that take many files: one process for each would take longer than its work. The check prints
# lines that begin with "FILE:" when it fails.
lint_at_once() { # TITLE CHECK FILE…
  local title=$1 check=$2 complaints bad=0
  shift 2
  if ! complaints=$(cd "$root" && "$check" "$@" 2>&1); then
    head -n 50 <<<"$complaints"
    bad=$(cut -d : -f 1 <<<"$complaints" | sort -u | grep -cxF -f <(printf '%s\n' "$@") || :)
    [ "$bad" != 0 ] || bad=1
  fi
  count "$title" $(($# - bad)) "$bad" 0
}

have_no_trailing_blanks() { ! grep -InHE '[[:blank:]]+$' "$@"; }
shellcheck_file() { shellcheck "$1"; }
# JSON can be parsed, files that are linked to exist, and so do the settings and SQL names.
docs_file() { # FILE
  perl -MJSON::PP -e '
    use strict;
    use warnings;
    sub slurp { local (@ARGV, $/) = @_; return join "", <> }
    my ($file, @sources) = @ARGV;
    my ($text, $known) = (slurp($file), slurp(@sources));
    $known .= " pgbackup.s3_$_" for $known =~ /^ *\{\.name = "(\w+)"/gm;
    my $folder = $file =~ m{^(.*/)} ? $1 : "";
    my @wrong;
    while ($text =~ /^\s*```json\n(.*?)^\s*```/gms) {
      push @wrong, "JSON that does not parse, $@" unless eval { decode_json($1) };
    }
    while ($text =~ /\]\(([^)#]+)[^)]*\)/g) {
      push @wrong, "a link to \"$1\", which is missing" unless $1 =~ /^https?:/ || -e "$folder$1";
    }
    my %names = map { $_ => 1 } $text =~ /\bpgbackup\.(?!so\b|control\b)([a-z]\w+)(?![\w*])/g;
    $known =~ /\bpgbackup\.$_\b/ or push @wrong, "pgbackup.$_, which is unknown" for sort keys %names;
    print "$file: $_\n" for @wrong;
    exit(@wrong > 0)' "$1" src/pg/settings.cpp src/pg/confinement.cpp src/shared/s3_options.h sql/parts/*.sql
}
# What the sources can raise is in the tables of the file, and nothing else.
messages_file() { # FILE
  # shellcheck disable=SC2046 # no file of ours has blanks in its name
  perl test/lint/messages.pl --compare "$1" sql/parts/*.sql $(tree_files | grep -E '^src/.*\.(cpp|h)$')
}
# Every alert, and every reason that health() gives, is in a heading of the file.
runbook_file() { # FILE
  perl -CSDA -Mutf8 -e '
    use strict;
    use warnings;
    sub slurp { local (@ARGV, $/) = @_; return join "", <> }
    my ($file, $rules, @health) = @ARGV;
    my @headings = map { split /, / } slurp($file) =~ /^### (.*)$/gm;
    my @wanted = slurp($rules) =~ /^ *- alert: (\w+)/gm;
    for (join("", map { slurp($_) } @health) =~ /CREATE FUNCTION pgbackup\._\w+_problems.*?\$\$(.*?)\$\$/gs) {
      s/--.*//g;
      push @wanted, map { s/\x27\x27/\x27/gr } grep { /\w+ \w+ \w+/ } /\x27((?:[^\x27]|\x27\x27)*)\x27/g;
    }
    s/%s folder%s/… folders/ || s/%s/…/g for @wanted;
    my @missing = grep { my $one = $_; !grep { index($one, $_) >= 0 } @headings } @wanted;
    print "$file: no heading for \"$_\"\n" for @missing;
    exit(!@wanted || @missing > 0)' "$1" monitoring/alerts.yaml sql/parts/expected.sql sql/parts/health.sql sql/parts/ownership.sql sql/parts/recreated.sql sql/parts/undelivered.sql
}
# Files that others read say the version themselves: it is that of the file VERSION.
version_file() { # FILE
  local version
  version=$(cat VERSION)
  case $1 in
    META.json) perl -MJSON::PP -0777 -ne 'my $meta = decode_json($_);
      exit(grep { $_->{version} ne $ARGV[0] } $meta, $meta->{provides}{pgbackup})' "$1" "$version" ;;
    pgbackup.control) grep -qxF "default_version = '${version%.*}'" "$1" ;;
  esac || {
    echo "$1: the version is not $version"
    return 1
  }
}
# Rooms depend on each other in one direction, as the file shows.
rooms_file() { perl test/lint/rooms.pl --compare "$1"; }
format_files() { clang-format --dry-run -Werror "$@"; }

# clang-tidy takes most of its time for the headers of others, so it reads our sources a dozen at a
# time, as PGBACKUP_UNITY compiles them. What passed is remembered by its content.
lint_tidy() {
  local work=$scratch/tidy batch key total=0 bad=0 todo=()
  mkdir -p "$work" "$root/build/clang-tidy"
  while read -r batch; do
    total=$((total + $(wc -l <"$batch")))
    key=$(tidy_key "$batch")
    [ -e "$root/build/clang-tidy/$key" ] || todo+=("$batch $key")
  done < <(tidy_batches "$work")
  [ ${#todo[@]} = 0 ] || note "clang-tidy looks at ${#todo[@]} batches of sources"
  export -f tidy_batch tidy_sources tidy_flags merged_sources located
  printf '%s\n' "${todo[@]}" |
    tidy_root=$root xargs -r -P "$(nproc)" -L 1 bash -c 'tidy_batch "$@"' tidy
  find "$work" -name '*.bad' -exec cat {} +
  bad=$(find "$work" -name '*.bad' -exec grep -ohE '^[^ :]+\.(cpp|h):' {} + | sort -u | wc -l)
  if [ "$bad" = 0 ]; then bad=$(find "$work" -name '*.bad' | wc -l); fi
  count "clang-tidy" $((total - bad)) "$bad" 0
}

# Writes lists of sources that are read together, and their names: of a folder, a dozen at most.
tidy_batches() { # FOLDER
  local work=$1 part
  for part in shared core agent cli pg tests; do
    (cd "$root" && case $part in
      tests) printf '%s\n' test/unit/*.cpp ;;
      *) find "src/$part" -name '*.cpp' | sort ;;
    esac) | split -d -l 12 --additional-suffix=.list - "$work/$part-"
  done
  find "$work" -name '*.list' | sort
}

# What decides the outcome: the sources, all headers of the tree, and how they are checked.
tidy_key() { # BATCH
  (
    cd "$root" || exit
    clang-tidy --version
    "$PG_CONFIG" --version
    # shellcheck disable=SC2046 # no file of ours has blanks in its name
    cat .clang-tidy CMakeLists.txt scripts/lib/test_lint.sh $(cat "$1") \
      $(find src test/unit -name '*.h' | sort)
  ) | sha256sum | cut -c 1-32
}

tidy_batch() { # BATCH KEY
  local name=${1%.list} source alone
  cd "$tidy_root" || return
  if tidy_sources "$1"; then
    touch "build/clang-tidy/$2"
  elif grep -q 'clang-diagnostic-error' "$name.bad" && [ "$(wc -l <"$1")" != 1 ]; then
    # Names that two of them give, each in a namespace of its own file: then one by one.
    rm "$name.bad"
    while read -r source; do
      alone=$name-$(basename "$source" .cpp).list
      echo "$source" >"$alone"
      tidy_sources "$alone"
    done <"$1"
    compgen -G "$name-*.bad" >/dev/null || touch "build/clang-tidy/$2"
  fi
}

# What is wrong with them is left in a file .bad.
tidy_sources() { # BATCH
  local name=${1%.list} flags=() said
  mapfile -t flags < <(tidy_flags "$(basename "$name")")
  merged_sources "$1" >"$name.cpp"
  if nice clang-tidy --quiet --config-file=.clang-tidy "$name.cpp" "${flags[@]}" \
    >"$name.log" 2>"$name.err"; then
    return
  fi
  said=$name.log
  [ -s "$said" ] || said=$name.err
  located "$name.cpp" "$1" <"$said" >"$name.bad"
  return 1
}

# The static analyzer follows the ways through our sources up to a third of its own limit, beyond
# which it finds little. Tests go without: the sanitizers run them.
tidy_flags() { # BATCH-NAME
  local word
  case $1 in
    tests-*) printf '%s\n' '--checks=-clang-analyzer-*' ;;
    *) printf -- '--extra-arg=%s\n' -Xclang -analyzer-config -Xclang max-nodes=75000 ;;
  esac
  printf '%s\n' -- -std=c++20 -Isrc -Itest/unit -DPGBACKUP_VERSION="\"$(cat VERSION)\"" -DSOURCE_DIR='"."'
  case $1 in
    # PGXS builds these, CMake does not know them
    pg-*) printf '%s\n' -fno-exceptions -fno-rtti -isystem "$("$PG_CONFIG" --includedir-server)" ;;
    *)
      grep -m 1 '"command".*unit_tests' build/compile_commands.json | tr ' ' '\n' |
        while read -r word; do
          case $word in
            -isystem) read -r word && printf '%s\n' -isystem "$word" ;;
            -D*PGBACKUP_VERSION=* | -DSOURCE_DIR=*) ;;
            -D*) printf '%s\n' "$word" ;;
          esac
        done
      ;;
  esac
}

merged_sources() { # BATCH
  # shellcheck disable=SC2046 # no file of ours has blanks in its name
  cat $(cat "$1")
}

# Names the sources, and the lines in them, of what was said about the merged ones.
located() { # MERGED BATCH
  awk -v merged="$1" -v batch="$2" '
    BEGIN {
      while ((getline file < batch) > 0) {
        files[++n] = file; first[n] = line
        while ((getline text < file) > 0) ++line
      }
    }
    index($0, merged ":") == 1 {
      rest = substr($0, length(merged) + 2)
      at = rest + 0
      for (i = n; i > 1 && first[i] >= at; i--);
      sub(/^[0-9]+/, at - first[i], rest)
      $0 = files[i] ":" rest
    }
    { print }'
}
