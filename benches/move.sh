#!/bin/sh
# kefu move: a company with many messages from its file to a Redis of its own, and back, while its server runs.
#   sh benches/move.sh KEFU [MESSAGES] [ROUNDS]
# Needs redis-server, redis-cli, curl and python3. Prints for each way how long the whole command took, and for how long the server
# stored nothing.
set -eu
kefu=$1 messages=${2:-100000} rounds=${3:-3} port=7790
work=$(mktemp -d)
end() {
    for pid in "$work"/*.pid; do kill "$(cat "$pid")" 2> /dev/null || true; done
    sleep 1
    rm -rf "$work"
}
trap end EXIT
trap 'exit 1' INT TERM
redis-server --port $port --bind 127.0.0.1 --dir "$work" --appendonly yes --appendfsync always --save "" --maxmemory 4gb \
    --daemonize yes --pidfile "$work/redis.pid" > /dev/null
until redis-cli -p $port ping > /dev/null 2>&1; do sleep 0.1; done

listen=$((port + 1))
serve() {
    "$kefu" --data-dir "$work/data" serve --plain-http --listen 127.0.0.1:$listen >> "$work/log" 2>&1 &
    echo $! > "$work/kefu.pid"
    until curl -s -o /dev/null http://127.0.0.1:$listen/healthz; do sleep 0.1; done
}
"$kefu" --data-dir "$work/data" init --name bench --no-passphrase > /dev/null 2>&1
serve
"$kefu" --data-dir "$work/data" bench prepare --agents 1 --out "$work/agents" > /dev/null
kill "$(cat "$work/kefu.pid")"
while kill -0 "$(cat "$work/kefu.pid")" 2> /dev/null; do sleep 0.1; done
"$kefu" bench fill --data-dir "$work/data" --messages "$messages" --open 0 --owned 0 --long 0 --close > /dev/null

round=0
while [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    for to in redis://127.0.0.1:$port redb:; do
        # a file that was left is not overwritten
        [ "$to" = redb: ] && rm -f "$work"/data/*.redb "$work"/data/*.log
        serve
        begin=$(date +%s.%N)
        "$kefu" --json --data-dir "$work/data" move --to "$to" > "$work/out"
        python3 - "$to" "$begin" "$(date +%s.%N)" "$work/out" << 'END_PY'
import json, sys
to, begin, end, out = sys.argv[1:]
j = json.load(open(out))
print(to, f"records={j['records']} rows={j['rows']} passes={j['passes']} seconds={float(end) - float(begin):.1f} stopped_ms={j['stopped_ms']}")
END_PY
        # it ends by itself once its company has moved
        while kill -0 "$(cat "$work/kefu.pid")" 2> /dev/null; do sleep 0.1; done
    done
    redis-cli -p $port flushall > /dev/null
done
