# shellcheck shell=bash
# The SQL interface, by pg_regress against a private cluster. Adds to passed and failed.

test_regress() {
  heading "regression tests"
  local out=$scratch/regress log=$scratch/regress.log good bad
  mkdir -p "$out"
  # shellcheck disable=SC2154 # tree comes from scripts/test
  start_cluster "$port" "fsync = off"
  as_user make -s -C "$tree" installcheck PG_CONFIG="$PG_CONFIG" \
    REGRESS_OPTS="--dbname=postgres --use-existing --outputdir=$out" >"$log" 2>&1 || :
  stop_cluster
  [ -z "${PGBACKUP_TEST_RESULTS:-}" ] || cp "$out"/results/*.out "$PGBACKUP_TEST_RESULTS/"
  unset PGHOST PGPORT PGUSER PGDATABASE
  # "test NAME ... ok" up to PostgreSQL 15, TAP from 16 on
  good=$(grep -cE '^(test |     ).*\.\.\. ok|^ok ' "$log" || :)
  bad=$(grep -cE '^(test |     ).*\.\.\. FAILED|^not ok ' "$log" || :)
  if [ "$bad" != 0 ] || [ "$good" = 0 ]; then
    [ "$bad" != 0 ] || bad=1
    tail -n 40 "$log"
    [ ! -e "$out/regression.diffs" ] || head -n 200 "$out/regression.diffs"
    tail -n 40 "$scratch/server.log"
  fi
  count "regress" "$good" "$bad" 0
}
