#!/bin/sh
# Runs the measurements of a kefu executable and prints one table. Server on core 0, generator on core 1.
#   benches/run.sh [KEFU] [DIR]     DIR: a directory on the disk to be measured
set -eu
kefu=${1:-target/release/kefu}
dir=${2:-${TMPDIR:-/tmp}}
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for what in "fsync" "chat --pin --pairs 100 --seconds 10" "chat --pin --rate 2000 --idle 9600 --seconds 10" \
    "idle --pin --connections 9000 --seconds 15" "storm --pin --connections 9000" "start --messages 1000000"; do
    echo "kefu bench $what" >&2
    # the words of $what are separate arguments
    # shellcheck disable=SC2086
    "$kefu" --json bench $what --dir "$dir" >>"$out"
done
awk '
function value(key,   at, rest) {
    at = index($0, "\"" key "\":")
    if (!at) return "-"
    rest = substr($0, at + length(key) + 3)
    sub(/[,}].*/, "", rest)
    gsub(/"/, "", rest)
    if (rest == "null") return "-"
    return rest ~ /\./ ? sprintf("%.2f", rest) : rest
}
BEGIN {
    n = split("connections messages messages_per_second server_cpu_seconds_per_million server_cpu_percent " \
        "deliver_p50_ms deliver_p99_ms deliver_p999_ms generator_lag_p99_ms lost doubled sealed_late " \
        "rss_bytes_per_connection cpu_us_per_beat cpu_us_per_reconnect all_back_seconds " \
        "stored_messages start_median_ms start_slowest_ms load_average", keys, " ")
}
/"command":"fsync"/ { fsync = $0; sub(/.*"fsync":\[/, "", fsync); sub(/\].*/, "", fsync); next }
{
    columns++
    names[columns] = value("command")
    for (i = 1; i <= n; i++) cell[i, columns] = value(keys[i])
}
END {
    printf "%-34s", ""
    for (c = 1; c <= columns; c++) printf "%14s", names[c]
    print ""
    for (i = 1; i <= n; i++) {
        printf "%-34s", keys[i]
        for (c = 1; c <= columns; c++) printf "%14s", cell[i, c]
        print ""
    }
    count = split(fsync, rows, /\},?\{?/)
    for (r = 1; r <= count; r++) if (rows[r] != "") { gsub(/[{"]/, "", rows[r]); print "fsync: " rows[r] }
}' "$out"
