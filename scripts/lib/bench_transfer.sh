# shellcheck shell=bash
# scripts/bench transfer: one object to S3 and back, beside other programs. Needs common.sh, user.sh,
# s3.sh. Reads size (MiB) and rounds.
#
# Every program gets the data on standard input and gives them on standard output, as backups and
# restores need it, with parts of 32 MiB; rclone and aws also with a file on either side, where they
# can read and write parts in parallel. pgbackup's times include the SHA-256 of the whole object.

bench_prepare_transfer() { build_bench_program s3_transfer; }

bench_transfer() {
  results=$scratch/results
  data=$scratch/data
  head -c "${size}M" /dev/urandom >"$data"
  digest=$(sha256sum "$data" | cut -d' ' -f1)
  write_aws_config 4
  write_aws_config 16
  give_to_user "$scratch"
  for ((round = 1; round <= rounds; round++)); do
    heading "round $round of $rounds, $size MiB"
    for parts in 4 16; do transfer_once "$parts"; done
  done
  heading "medians of $rounds rounds, $size MiB, $(nproc) cores"
  compare_transfers
}

bucket_url() { echo "s3://$PGBACKUP_TEST_S3_BUCKET"; }

# All programs in turn, with so many parts at a time.
transfer_once() { # PARTS
  local parts=$1 pgbackup rclone aws
  pgbackup=("$scratch/s3_transfer" --url "$(bucket_url)" --endpoint "$PGBACKUP_TEST_S3_ENDPOINT"
    --credentials "$PGBACKUP_TEST_S3_CREDENTIALS_FILE" --part-size $((32 << 20)) --concurrency "$parts")
  rclone=(rclone --config "$scratch/rclone.conf" --s3-chunk-size 32M --s3-upload-concurrency "$parts"
    --s3-upload-cutoff 32M --ignore-times --multi-thread-streams "$parts" --multi-thread-cutoff 32M --buffer-size 32M)
  aws=(env "AWS_CONFIG_FILE=$scratch/aws-$parts" "AWS_SHARED_CREDENTIALS_FILE=$PGBACKUP_TEST_S3_CREDENTIALS_FILE"
    aws --endpoint-url "$PGBACKUP_TEST_S3_ENDPOINT" s3)
  local bucket=bench:$PGBACKUP_TEST_S3_BUCKET

  put "pgbackup/$parts" "${pgbackup[@]}" put a
  put "rclone-rcat/$parts" "${rclone[@]}" rcat "$bucket/b"
  put "rclone-file/$parts" "${rclone[@]}" copyto "$data" "$bucket/c$parts"
  put "aws-stdin/$parts" "${aws[@]}" cp --only-show-errors - "$(bucket_url)/d"
  put "aws-file/$parts" "${aws[@]}" cp --only-show-errors "$data" "$(bucket_url)/e"
  get "pgbackup/$parts" - "${pgbackup[@]}" get a
  get "rclone-cat/$parts" - "${rclone[@]}" cat "$bucket/b"
  get "rclone-file/$parts" "$scratch/back" "${rclone[@]}" copyto "$bucket/c$parts" "$scratch/back"
  get "aws-stdout/$parts" - "${aws[@]}" cp --only-show-errors "$(bucket_url)/d" -
  get "aws-file/$parts" "$scratch/back" "${aws[@]}" cp --only-show-errors "$(bucket_url)/e" "$scratch/back"
}

put() { # NAME COMMAND…
  local name=$1
  shift
  timed "put:$name" /dev/null "$@" <"$data"
}

# Gets once more, not measured, to see that what came is what went, whatever takes the output.
get() { # NAME FILE|- COMMAND…
  local name=$1 file=$2
  shift 2
  if [ "$file" = - ]; then
    timed "get:$name" /dev/null "$@" </dev/null
    [ "$round" != 1 ] || [ "$(as_client "$@" 2>/dev/null | sha256sum | cut -d' ' -f1)" = "$digest" ] ||
      fail "$name brought something else back"
  else
    timed "get:$name" /dev/null "$@" </dev/null
    [ "$(sha256sum "$file" | cut -d' ' -f1)" = "$digest" ] || fail "$name brought something else back"
    rm -f "$file"
  fi
}

# rclone takes the tests' AWS_CA_BUNDLE for a file it may read.
as_client() { as_user env -u AWS_CA_BUNDLE AWS_EC2_METADATA_DISABLED=true "$@"; }

# Appends NAME, wall seconds, CPU seconds and KiB of the program alone.
timed() { # NAME OUTPUT COMMAND…
  local name=$1 output=$2 time_file=$scratch/time
  shift 2
  if ! as_client /usr/bin/time -f '%e %U %S %M' -o "$time_file" "$@" >"$output" 2>"$scratch/timed.log"; then
    tail -n 20 "$scratch/timed.log" >&2
    fail "$name failed"
  fi
  awk -v name="$name" '{ print name, $1, $2 + $3, $4 }' "$time_file" >>"$results"
  note "$(tail -n 1 "$results")"
}

write_aws_config() { # PARTS
  {
    printf '[default]\nregion = us-east-1\ns3 =\n  addressing_style = path\n'
    printf '  multipart_chunksize = 32MB\n  multipart_threshold = 32MB\n'
    printf '  max_concurrent_requests = %s\n' "$1"
  } >"$scratch/aws-$1"
}

compare_transfers() {
  "$root/bench/summary" "$results" | sort -t: -k1,1r -s | awk -v mib="$size" '
    BEGIN { printf "%-20s %9s %9s %9s %10s\n", "", "wall s", "MiB/s", "CPU s/GB", "peak MiB" }
    { printf "%-20s %9.2f %9.0f %9.2f %10.0f\n", $1, $2, mib / $2, $3 / (mib * 1048576 / 1e9), $4 / 1024 }'
}
