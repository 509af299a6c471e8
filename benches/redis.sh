#!/bin/sh
# One server on its file and one on a Redis of its own, measured in turn: latency, processor time of server and Redis, bytes in Redis.
#   sh benches/redis.sh KEFU [RATE] [ROUNDS]     RATE 0: as fast as they can
# Needs redis-server, redis-cli, curl, taskset and python3. The server is on core 0, the generator on core 1, Redis where it likes.
set -eu
kefu=$1 rate=${2:-1000} rounds=${3:-3} pairs=100 seconds=8 port=7780
work=$(mktemp -d)
end() {
    for pid in "$work"/*.pid; do kill "$(cat "$pid")" 2> /dev/null || true; done
    sleep 1
    rm -rf "$work"
}
trap end EXIT INT TERM
redis-server --port $port --bind 127.0.0.1 --dir "$work" --appendonly yes --appendfsync always --save "" --maxmemory 4gb \
    --daemonize yes --pidfile "$work/redis.pid" > /dev/null
until redis-cli -p $port ping > /dev/null 2>&1; do sleep 0.1; done

place() { [ "$1" = redis ] && echo "redis://127.0.0.1:$port" || echo redb:; }
settings() { # limits that a load of 100 pairs from one address does not meet
    cat << END
[storage]
url = "$(place "$1")"
[server]
connections_per_address = 10000
[limits]
visitor_messages_per_minute = 100000
visitor_burst = 100000
address_messages_per_minute = 10000000
conversations_per_hour = 1000000
agent_messages_per_minute = 100000
visitor_kb_per_day = 10000000
visitor_records_per_day = 10000000
address_mb_per_day = 1000000
address_records_per_day = 100000000
visitor_changes_per_hour = 1000000
address_changes_per_hour = 10000000
visitor_keys_per_hour = 1000000
address_keys_per_hour = 10000000
END
}
listen=$((port + 1))
for on in file redis; do
    KEFU_STORAGE__URL=$(place $on) "$kefu" --data-dir "$work/$on" init --name bench --no-passphrase > /dev/null 2>&1
    settings $on > "$work/$on/kefu.toml"
    taskset -c 0 "$kefu" --data-dir "$work/$on" serve --plain-http --listen 127.0.0.1:$listen > "$work/$on.log" 2>&1 &
    echo $! > "$work/$on.pid"
    until curl -s -o /dev/null http://127.0.0.1:$listen/healthz; do sleep 0.1; done
    "$kefu" --data-dir "$work/$on" bench prepare --agents $pairs --out "$work/$on.agents" > /dev/null
    listen=$((listen + 1))
done

ticks() { awk '{ print $14 + $15 }' "/proc/$(cat "$work/redis.pid")/stat"; }
memory() { redis-cli -p $port info memory | tr -d '\r' | sed -n 's/^used_memory://p'; }
round=0
while [ $round -lt "$rounds" ]; do
    round=$((round + 1)) listen=$((port + 1))
    for on in file redis; do
        cpu=$(ticks) bytes=$(memory)
        set -- --pairs $pairs --seconds $seconds
        [ "$rate" = 0 ] || set -- "$@" --rate "$rate"
        "$kefu" --json bench chat --url http://127.0.0.1:$listen --agents "$work/$on.agents" --pin --pid "$(cat "$work/$on.pid")" "$@" > "$work/out"
        python3 - "$on" "$work/out" $(($(ticks) - cpu)) $(($(memory) - bytes)) << 'END'
import json, sys
on, out, ticks, size = sys.argv[1:]
j = json.load(open(out))
keys = ("messages", "messages_per_second", "deliver_p50_ms", "deliver_p99_ms", "deliver_p999_ms", "server_cpu_seconds_per_million")
print(on, *(f"{k}={j[k]:.2f}" for k in keys), f"lost={j['lost']}", f"doubled={j['doubled']}", f"redis_cpu_s={int(ticks) / 100}", f"redis_bytes={size}")
END
        listen=$((listen + 1))
    done
done
