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
  lint_files "no trailing blanks" has_no_trailing_blanks "${texts[@]}"
  lint_files "shellcheck" shellcheck_file "${scripts[@]}"
  # shellcheck disable=SC2046
  lint_files "documentation" docs_file $(tree_files | grep '\.md$')
  if has_clang_tool clang-format; then lint_files "clang-format" format_file "${sources[@]}"; fi
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

has_no_trailing_blanks() { ! grep -InHE '[[:blank:]]+$' "$1"; }
shellcheck_file() { shellcheck "$1"; }
# JSON can be parsed, files that are linked to exist, and so do the settings and SQL names.
docs_file() { # FILE
  perl -MJSON::PP -e '
    use strict;
    use warnings;
    sub slurp { local (@ARGV, $/) = @_; return join "", <> }
    my ($file, @sources) = @ARGV;
    my ($text, $known) = (slurp($file), slurp(@sources));
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
    exit(@wrong > 0)' "$1" src/pg/settings.cpp sql/pgbackup--*.sql
}
format_file() {
  local complaints
  complaints=$(clang-format --dry-run -Werror "$1" 2>&1) && return
  head -n 3 <<<"$complaints"
  return 1
}

# clang-tidy is slow, so what passed is remembered by the content of the file, of the headers of the
# tree it includes, and of what decides how it is compiled and checked.
lint_tidy() {
  local work=$scratch/tidy file key total=0 bad
  mkdir -p "$work" "$root/build/clang-tidy"
  : >"$work/todo"
  while read -r file key; do
    total=$((total + 1))
    [ -e "$root/build/clang-tidy/$key" ] || echo "$file $key" >>"$work/todo"
  done < <(tidy_keys)
  [ ! -s "$work/todo" ] || note "clang-tidy looks at $(wc -l <"$work/todo") of $total files"
  export -f tidy_file
  tidy_root=$root tidy_log=$work xargs -r -P "$(nproc)" -L 1 -a "$work/todo" bash -c 'tidy_file "$@"' tidy
  find "$work" -name '*.log' -exec cat {} +
  bad=$(find "$work" -name '*.log' | wc -l)
  count "clang-tidy" $((total - bad)) "$bad" 0
}

tidy_file() { # FILE KEY
  local flags=() log=$tidy_log/$2.log
  case $1 in
    # PGXS builds these, CMake does not know them
    src/pg/*) flags=(-- -std=c++20 -fno-exceptions -fno-rtti -I"$tidy_root/src"
      -isystem "$("$PG_CONFIG" --includedir-server)" -DPGBACKUP_VERSION='"1.0.0"') ;;
    test/unit/*) flags=(-p "$tidy_root/build" --extra-arg="-include$tidy_root/test/lint/expectations.h") ;;
    *) flags=(-p "$tidy_root/build") ;;
  esac
  if (cd "$tidy_root" && nice clang-tidy --quiet "$1" "${flags[@]}" >"$log" 2>"$log.err"); then
    rm -f "$log" "$log.err"
    touch "$tidy_root/build/clang-tidy/$2"
  elif ! [ -s "$log" ]; then
    mv "$log.err" "$log"
  fi
}

# FILE KEY of every source file that is compiled.
tidy_keys() (
  cd "$root" || exit
  common=$({
    clang-tidy --version
    "$PG_CONFIG" --version
    cat .clang-tidy CMakeLists.txt scripts/lib/test_lint.sh test/lint/expectations.h
  } | sha256sum)
  tree_files | grep -E '^(src|test/unit)/.*\.(cpp|h)$' | xargs grep -H '^#include "' |
    included_files | while read -r file parts; do
    # shellcheck disable=SC2086 # no file of ours has blanks in its name
    echo "$file $({ echo "$common"; cat "$file" $parts; } | sha256sum | cut -c 1-32)"
  done
)

# Reads `FILE:#include "HEADER"` lines, writes each source file with all headers it reaches.
included_files() {
  awk -F'[:"]' '
    { direct[$1] = direct[$1] " src/" $3; if ($1 ~ /\.cpp$/) sources[$1] = 1 }
    END { for (file in sources) { delete seen; printf "%s", file; walk(file); print "" } }
    function walk(file,  parts, n, i) {
      n = split(direct[file], parts, " ")
      for (i = 1; i <= n; i++)
        if (!(parts[i] in seen) && (getline line < parts[i]) >= 0) {
          close(parts[i]); seen[parts[i]] = 1; printf " %s", parts[i]; walk(parts[i])
        }
    }'
}
