#!/bin/sh
# One server on its file, and one, two and three servers on a Redis, in turn: latency, processor time of servers and Redis.
#   sh benches/servers.sh KEFU [RATE] [ROUNDS]     RATE 0: as fast as they can
# All are reached through haproxy, which gives every connection to the next server, so that visitor and agent of a pair may be on
# different servers where there are several. Redis has core 1 for itself; servers, haproxy and the generator share core 0.
# Needs redis-server, redis-cli, haproxy, curl, taskset and python3.
set -eu
kefu=$1 rate=${2:-1000} rounds=${3:-3} pairs=100 seconds=8 port=7800 work=$(mktemp -d)
end() {
    for pid in "$work"/*.pid; do kill "$(cat "$pid")" 2> /dev/null || true; done
    sleep 1
    rm -rf "$work"
}
trap end EXIT
trap 'exit 1' INT TERM
taskset -c 1 redis-server --port $port --bind 127.0.0.1 --dir "$work" --appendonly yes --appendfsync always --save "" \
    --maxmemory 4gb --daemonize yes --pidfile "$work/redis.pid" > /dev/null
until redis-cli -p $port ping > /dev/null 2>&1; do sleep 0.1; done

place() { [ "$1" = file ] && echo redb: || echo redis://127.0.0.1:$port; }
settings() { # SET DIR: limits that a load of 100 pairs from one address does not meet
    cat > "$2/kefu.toml" << END_TOML
[storage]
url = "$(place "$1")"
prefix = "$1:"
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
END_TOML
}
servers() { [ "$1" = file ] && echo 1 || echo "$1"; }
begin() { # SET: starts its servers and haproxy
    set=$1 n=0
    printf 'global\n nbthread 1\ndefaults\n mode tcp\n timeout connect 5s\n timeout client 1h\n timeout server 1h\nlisten chat\n bind 127.0.0.1:%s\n balance roundrobin\n' \
        $((port + 1)) > "$work/haproxy.cfg"
    : > "$work/kefu.pids"
    while [ $n -lt "$(servers "$set")" ]; do
        n=$((n + 1)) listen=$((port + 1 + n)) dir="$work/$set-$n"
        if [ ! -d "$dir" ] && [ $n = 1 ]; then
            KEFU_STORAGE__URL=$(place "$set") KEFU_STORAGE__PREFIX="$set:" \
                "$kefu" --data-dir "$dir" init --name bench --no-passphrase > /dev/null 2>&1
            settings "$set" "$dir"
        elif [ ! -d "$dir" ]; then
            mkdir -m 700 "$dir"
            cp "$work/$set-1/kefu.toml" "$work/$set-1/opaque.setup" "$work/$set-1/cluster.key" "$dir"
        fi
        taskset -c 0 "$kefu" --data-dir "$dir" serve --plain-http --listen 127.0.0.1:$listen > "$dir.log" 2>&1 &
        echo $! > "$work/kefu-$n.pid"
        echo $! >> "$work/kefu.pids"
        until curl -s -o /dev/null http://127.0.0.1:$listen/healthz; do
            kill -0 $! || { cat "$dir.log"; exit 1; }
            sleep 0.1
        done
        printf ' server s%s 127.0.0.1:%s\n' $n $listen >> "$work/haproxy.cfg"
    done
    [ -f "$work/$set.agents" ] || "$kefu" --data-dir "$work/$set-1" bench prepare --agents $pairs --out "$work/$set.agents" > /dev/null
    taskset -c 0 haproxy -D -p "$work/haproxy.pid" -f "$work/haproxy.cfg" 2> /dev/null
}
stop() {
    # a pid a word
    # shellcheck disable=SC2013
    for pid in $(cat "$work/haproxy.pid" "$work/kefu.pids"); do
        kill "$pid"
        while kill -0 "$pid" 2> /dev/null; do sleep 0.1; done
    done
    rm "$work"/haproxy.pid "$work"/kefu-*.pid
}
# the time of these processes, in hundredths of a second
ticks() { for pid in "$@"; do cat "/proc/$pid/stat"; done | awk '{ t += $14 + $15 } END { print t }'; }

round=0
while [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    for set in file 1 2 3; do
        begin $set
        # Redis also answers while nothing is sent
        redis-cli -p $port config resetstat > /dev/null
        # words of their own
        # shellcheck disable=SC2046
        own=$(ticks $(cat "$work/kefu.pids")) redis=$(ticks "$(cat "$work/redis.pid")") balancer=$(ticks "$(cat "$work/haproxy.pid")")
        set -- --pairs $pairs --seconds $seconds
        [ "$rate" = 0 ] || set -- "$@" --rate "$rate"
        taskset -c 0 "$kefu" --json bench chat --url http://127.0.0.1:$((port + 1)) --agents "$work/$set.agents" "$@" > "$work/out"
        # shellcheck disable=SC2046
        own=$(($(ticks $(cat "$work/kefu.pids")) - own)) redis=$(($(ticks "$(cat "$work/redis.pid")") - redis))
        redis-cli -p $port info commandstats > "$work/stats"
        python3 - "$set" "$work" $own $redis $(($(ticks "$(cat "$work/haproxy.pid")") - balancer)) << 'END_PY'
import json, re, sys
name, work, own, redis, balancer = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
j = json.load(open(f"{work}/out"))
per = lambda ticks: f"{ticks * 10_000 / j['messages']:.0f}"
keys = ("messages_per_second", "deliver_p50_ms", "deliver_p99_ms", "deliver_p999_ms")
print(name, *(f"{k}={j[k]:.2f}" for k in keys), f"messages={j['messages']} lost={j['lost']} doubled={j['doubled']}",
      f"cpu_us_per_message: servers={per(own)} redis={per(redis)} haproxy={per(balancer)} load={open('/proc/loadavg').read().split()[0]}")
if name != "file":
    calls = re.findall(r"cmdstat_(\S+):calls=(\d+),usec=(\d+),usec_per_call=([\d.]+)", open(f"{work}/stats").read())
    shown = [f"{c}={int(n) / j['messages']:.2f}*{us}us" for c, n, t, us in calls if int(t) > j["messages"] / 20]
    print("   calls a message:", *shown)
END_PY
        stop
    done
done
