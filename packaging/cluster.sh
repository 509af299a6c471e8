#!/bin/sh
# Makes a demo company in a Redis of its own (once) and serves it with two servers. Called by `make cluster`: KEFU is the
# executable, DIR the directory of everything, PORT the first of four ports of the loopback address: both servers' address,
# each server, Redis. Without haproxy and nginx there is no address of both. KEFU_REDIS names a server other than redis-server.
set -eu
mkdir -p "$DIR"
chmod 700 "$DIR"
DIR=$(cd "$DIR" && pwd)
redis_server=${KEFU_REDIS:-redis-server}
one=127.0.0.1:$((PORT + 1)) two=127.0.0.1:$((PORT + 2)) redis_port=$((PORT + 3))
storage="redis://127.0.0.1:$redis_port"
kefu() { "$KEFU" --data-dir "$DIR/one" "$@"; }
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
code() { sed -n 's/.*"code": *"\([^"]*\)".*/\1/p' "$1" | head -n 1; }
fail() { echo "cluster.sh: $*" >&2; exit 1; }

if ! command -v "$redis_server" > /dev/null; then
    echo "cluster.sh: installing redis-server by apt: both servers store the company in it. Debian also starts one on port" >&2
    echo "  6379, which this demo does not use; \`systemctl disable --now redis-server\` stops that one" >&2
    command -v apt-get > /dev/null || fail "apt-get is not available: install Redis 7 or Valkey in another way"
    apt-get update -qq
    apt-get install -y -qq redis-server
fi

# each process has a session of its own: Ctrl-C reaches only this script, which stops Redis last
began=
begin() { # NAME COMMAND…
    name=$1
    shift
    : > "$DIR/$name.log"
    setsid "$@" >> "$DIR/$name.log" 2>&1 < /dev/null &
    pid=$!
    began="$pid $began"
}
# shellcheck disable=SC2329 # called by the trap
stop() {
    trap - EXIT INT TERM HUP
    for pid in $began; do
        kill "$pid" 2> /dev/null || continue
        # the shell says how it ended
        wait "$pid" 2> /dev/null || true
    done
}
trap stop EXIT
trap 'exit 0' INT TERM HUP
until_true() { # NAME COMMAND…: waits for what a process does after its start, 20 seconds
    name=$1 tries=100
    shift
    until "$@" > /dev/null 2>&1; do
        tries=$((tries - 1))
        if [ "$tries" = 0 ] || ! kill -0 "$pid" 2> /dev/null; then
            tail -n 5 "$DIR/$name.log" >&2
            fail "$name does not run; its log is $DIR/$name.log"
        fi
        sleep 0.2
    done
}

# settings with which nothing acknowledged is lost; kefu refuses others
mkdir -p "$DIR/redis"
if [ ! -e "$DIR/redis/password" ]; then
    (umask 077 && random > "$DIR/redis/password")
fi
cat > "$DIR/redis/redis.conf" << CONF
bind 127.0.0.1
port $redis_port
dir "$DIR/redis"
requirepass $(cat "$DIR/redis/password")
appendonly yes
appendfsync always
maxmemory 1gb
maxmemory-policy noeviction
save ""
CONF
chmod 600 "$DIR/redis/redis.conf"
begin redis "$redis_server" "$DIR/redis/redis.conf"
redis=$pid
until_true redis grep -q 'Ready to accept connections' "$DIR/redis.log"

if command -v haproxy > /dev/null || command -v nginx > /dev/null; then
    url="http://127.0.0.1:$PORT" one_url=$url two_url=$url
else
    url='' one_url="http://$one" two_url="http://$two"
fi

if [ ! -e "$DIR/admin.invite.json" ]; then
    # an earlier attempt that did not come to its end; its company is in Redis
    [ ! -e "$DIR/one" ] || fail "$DIR is not complete: run make clean-cluster, then make cluster again"
    KEFU_STORAGE__URL=$storage KEFU_STORAGE__PASSWORD_FILE="$DIR/redis/password" \
        "$KEFU" --data-dir "$DIR/one" init --name "云杉银行 Spruce Bank" --no-passphrase --json \
        > "$DIR/init.json" 2> "$DIR/init.log" || { cat "$DIR/init.log" >&2; fail "the company could not be founded"; }
    # `init` writes a file with the defaults
    sed -i -e "s|^listen = .*|listen = \"$one\"|" -e "s|^plain_http = false|plain_http = true|" \
        -e "s|^url = \"redb:\"|url = \"$storage\"|" -e "s|^password_file = \"\"|password_file = \"$DIR/redis/password\"|" "$DIR/one/kefu.toml"
    kefu team add service --name "在线客服" > /dev/null
    kefu user add li --name "李明" --team service --json > "$DIR/li.invite.json"
    kefu user add wu --name "吴芳" --team service --json > "$DIR/wu.invite.json"
    kefu site add bank --name "云杉银行" --team service --form name \
        --origin "http://127.0.0.1:$PORT" "http://$one" "http://$two" > /dev/null
    # what another server needs
    mkdir -m 700 "$DIR/two"
    cp -p "$DIR/one/opaque.setup" "$DIR/one/cluster.key" "$DIR/one/kefu.toml" "$DIR/two"
    sed -i "s|^listen = .*|listen = \"$two\"|" "$DIR/two/kefu.toml"
    mv "$DIR/init.json" "$DIR/admin.invite.json"
    chmod 600 "$DIR"/*.invite.json
fi

serve() { # NAME PUBLIC_URL
    begin "$1" "$KEFU" --data-dir "$DIR/$1" serve --public-url "$2" --demo
    until_true "$1" "$KEFU" --data-dir "$DIR/$1" healthcheck
}
serve one "$one_url"
first=$pid
serve two "$two_url"
second=$pid

balancer=
if command -v haproxy > /dev/null; then
    balancer=haproxy
    cat > "$DIR/haproxy.cfg" << CONF
defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout tunnel 60s
    retries 2
    option redispatch 1
frontend chat
    bind 127.0.0.1:$PORT
    default_backend kefu
backend kefu
    balance roundrobin
    option httpchk GET /healthz
    default-server check inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
    server one $one
    server two $two
CONF
    begin haproxy haproxy -db -f "$DIR/haproxy.cfg"
elif command -v nginx > /dev/null; then
    balancer=nginx
    cat > "$DIR/nginx.conf" << CONF
daemon off;
pid "$DIR/nginx.pid";
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path "$DIR/nginx.tmp";
    map \$http_upgrade \$connection_upgrade { default upgrade; '' ''; }
    upstream kefu { server $one max_fails=0; server $two max_fails=0; }
    server {
        listen 127.0.0.1:$PORT;
        location / {
            proxy_pass http://kefu;
            proxy_http_version 1.1;
            proxy_set_header Host \$http_host;
            proxy_set_header Upgrade \$http_upgrade;
            proxy_set_header Connection \$connection_upgrade;
            proxy_connect_timeout 2s;
            proxy_buffering off;
        }
    }
}
CONF
    begin nginx nginx -e stderr -c "$DIR/nginx.conf"
fi
if [ -n "$balancer" ]; then
    # 0A: it listens
    until_true "$balancer" grep -q ":$(printf %04X "$PORT") 00000000:0000 0A" /proc/net/tcp
    cat << TEXT

  both servers, behind $balancer:
    demo page  $url/demo/      (write as a visitor)
    console    $url/console/
  the console of each server:
    one        http://$one/console/
    two        http://$two/console/
TEXT
else
    cat << TEXT

  server one:
    demo page  http://$one/demo/      (write as a visitor)
    console    http://$one/console/
  server two:
    demo page  http://$two/demo/
    console    http://$two/console/

  Install haproxy or nginx to have one address for both.
TEXT
fi
cat << TEXT

  Sign in as agent li at one server and as agent wu at the other, in two windows that share nothing (one of them private), and
  press "Go online" (上线) in both to be given conversations. For "First time" (首次登录):

  agent li's invite:
    $(code "$DIR/li.invite.json")
  agent wu's invite:
    $(code "$DIR/wu.invite.json")
  admin's invite:
    $(code "$DIR/admin.invite.json")
  Each can be used once, at any server; afterwards, sign in with user id and password.

  to see a server die, and the other go on with its conversations (in another terminal):
    kill -9 $first    # server one; server two is process $second. To start it again:
    $KEFU --data-dir $DIR/one serve --public-url $one_url --demo

  Logs are in $DIR. The demo's keys are unsealed there; \`make clean-cluster\` deletes all of it.
  Ctrl-C stops both servers, Redis${balancer:+ and $balancer}.

TEXT

# a server that dies is missed by nobody here: that is what this shows
wait "$redis" 2> /dev/null || true
fail "Redis ended; its log is $DIR/redis.log"
