#!/bin/sh
# Runs packaging/compose.yaml and packaging/compose.cluster.yaml as their heads say, and breaks what runs while people chat through
# the published address: test-containers.sh, as root (it kills processes of containers). Fails if an acknowledged message is lost or
# comes twice, or one is never acknowledged. Needs Docker with compose 2 and port 8443. It deletes the volumes of both projects,
# so it refuses where one exists.
#
#   KEFU                         a static executable (default: target/x86_64-unknown-linux-musl/release/kefu)
#   VALKEY_IMAGE, HAPROXY_IMAGE  instead of those in the file; where no registry can be reached, packaging/test-images.sh
set -eu
cd "$(dirname "$0")/.."
kefu=${KEFU:-${CARGO_TARGET_DIR:-target}/$(uname -m)-unknown-linux-musl/release/kefu}
die() { echo "test-containers.sh: $*" >&2; exit 1; }
say() { echo "test-containers.sh: $*"; }
[ -x "$kefu" ] || die "there is no executable $kefu: packaging/build.sh $(uname -m)-unknown-linux-musl, or set KEFU"
docker compose version > /dev/null 2>&1 || die "docker compose (2 or newer) is missing"
tmp=$(mktemp -d)
project=''

# shellcheck disable=SC2329 # called by the trap
end() {
    status=$?
    trap - EXIT
    if [ -n "$project" ]; then
        [ "$status" = 0 ] || { docker compose logs --tail 15; docker logs kefu-test-chat; } >&2 || :
        docker rm -f kefu-test-chat > /dev/null 2>&1 || :
        # a frozen one can't be stopped
        docker compose unpause > /dev/null 2>&1 || :
        docker compose down --volumes --timeout 10 > /dev/null 2>&1 || say "the containers of $project could not be removed"
    fi
    rm -rf "$tmp"
    exit "$status"
}
trap end EXIT
trap 'exit 1' INT TERM HUP

until_true() { # SECONDS WHAT COMMAND…
    end_at=$(($(date +%s) + $1)) what=$2
    shift 2
    until "$@" > /dev/null 2>&1; do
        [ "$(date +%s)" -lt "$end_at" ] || die "waited in vain: $what"
        sleep 0.5
    done
}

# the image, as packaging/Containerfile says
mkdir -p "$tmp/image/data"
cp "$kefu" "$tmp/image/kefu"
docker build -q -t kefu -f packaging/Containerfile "$tmp/image" > "$tmp/out" 2>&1 || { cat "$tmp/out" >&2; die "there is no image"; }

# what a machine can't have, what a load generator needs, and other images
files=$(prlimit --noheadings --output HARD --nofile | tr -d ' ')
if [ "$files" = unlimited ] || [ "$files" -gt 131072 ]; then files=131072; fi
usual="ulimits: { nofile: $files, nproc: 32768 }"
server="{ $usual, environment: { KEFU_SERVER__MAX_CONNECTIONS: \"$((files - 1000))\", KEFU_SERVER__CONNECTIONS_PER_ADDRESS: \"1000\",
    KEFU_LIMITS__VISITOR_MESSAGES_PER_MINUTE: \"100000\", KEFU_LIMITS__VISITOR_BURST: \"100000\",
    KEFU_LIMITS__ADDRESS_MESSAGES_PER_MINUTE: \"100000\", KEFU_LIMITS__AGENT_MESSAGES_PER_MINUTE: \"100000\" } }"
printf 'services:\n  kefu: %s\n' "$server" > "$tmp/one.yaml"
{
    printf 'services:\n  one: %s\n  two: %s\n' "$server" "$server"
    for name in valkey-a valkey-b sentinel-a sentinel-b sentinel-c join password; do
        printf '  %s: { %s%s }\n' "$name" "$usual" "${VALKEY_IMAGE:+, image: $VALKEY_IMAGE}"
    done
    printf '  balancer: { %s%s, command: [haproxy, -W, -db, -f, /usr/local/etc/haproxy/haproxy.cfg, -n, "%s"] }\n' \
        "$usual" "${HAPROXY_IMAGE:+, image: $HAPROXY_IMAGE}" "$((files / 2 - 500))"
} > "$tmp/cluster.yaml"

follow() { # FILE OVERRIDE: does what the head of a compose file says; the keys stay unsealed, since nobody is here to type
    export COMPOSE_FILE="$PWD/$1:$tmp/$2"
    project=$(docker compose config --format json | sed -n 's/^  "name": "\(.*\)",\{0,1\}$/\1/p')
    [ -z "$(docker volume ls -q --filter "label=com.docker.compose.project=$project")" ] || {
        volumes=$project project=''
        die "there are volumes of $volumes, and this would delete them: docker compose down --volumes"
    }
    awk '/^[^#]/{ exit } /^#   docker compose /{ sub(/^#   /, ""); print }' "$1" | grep -v ' node drain$\|--no-deps\| logs ' \
        | sed -e "s| -f $1||" -e 's| init | init --no-passphrase |' > "$tmp/recipe"
    [ -s "$tmp/recipe" ] || die "the head of $1 has no commands"
    while IFS= read -r line; do
        say "$line"
        sh -euc "$line" > "$tmp/out" 2>&1 < /dev/null || { cat "$tmp/out" >&2; die "failed: $line"; }
    done < "$tmp/recipe"
}
in_container() { container=$1; shift; docker compose exec -T "$container" /kefu "$@"; }
healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$(docker compose ps -aq "$1")")" = healthy ]; }
process() { docker inspect --format '{{.State.Pid}}' "$(docker compose ps -aq "$1")"; }
restarted() { now=$(process "$1") && [ "$now" != 0 ] && [ "$now" != "$killed" ]; }
kill_process() { # SERVICE: without a word, as a crash; the restart policy brings it back
    killed=$(process "$1")
    kill -KILL "$killed"
    until_true 60 "$1 starts again after a kill" restarted "$1"
}

prepare() { # SERVICE NETWORK ADDRESS: people for the load generator, who come to this address
    service=$1 network=$2 address=$3
    # a script has nobody to seal keys: that, and no TLS to Valkey, is all that doctor has to say
    in_container "$service" doctor > "$tmp/doctor" || { cat "$tmp/doctor" >&2; die "doctor finds problems in what the recipe makes"; }
    in_container "$service" bench prepare --agents 3 --out /data/kefu/agents.json > /dev/null
}
offering() { [ "$(docker logs kefu-test-chat 2>&1 | grep -c 'essages per second')" -ge 2 ]; }
chat() { # SECONDS: people begin to chat; what is not acknowledged is sent again over a new connection
    docker rm -f kefu-test-chat > /dev/null 2>&1 || :
    docker run -d --name kefu-test-chat --ulimit "nofile=$files" --ulimit nproc=32768 --network "$network" --add-host "chat.example.com:$address" \
        -v "${project}_$service:/data" kefu --json bench overload --url https://chat.example.com:8443 --ca /data/kefu/tls/ca.pem \
        --agents /data/kefu/agents.json --pairs 3 --capacity 30 --times 1 --window 1 --seconds "$1" > /dev/null
    until_true 60 "people chat" offering
}
field() { sed -n 's/.*"'"$1"'": *\([0-9]*\).*/\1/p' "$tmp/chat" | head -n 1; }
chatted() { # WHAT HAPPENED
    ended=$(timeout 300 docker wait kefu-test-chat) || die "the chat has no end"
    docker logs kefu-test-chat > "$tmp/chat" 2> "$tmp/chat.log"
    [ "$ended" = 0 ] || { cat "$tmp/chat" "$tmp/chat.log" >&2; die "the chat failed"; }
    offered=$(field offered) acknowledged=$(field acknowledged)
    wrong="$(field lost) lost, $(field doubled) twice, $(field unacknowledged) never acknowledged, $(field refused_for_good) refused"
    say "$1: $acknowledged of $offered messages acknowledged; $wrong"
    if [ "$offered" -le 100 ] || [ "$acknowledged" != "$offered" ]; then cat "$tmp/chat" >&2; die "not everything was acknowledged"; fi
    [ "$wrong" = "0 lost, 0 twice, 0 never acknowledged, 0 refused" ] || { cat "$tmp/chat" >&2; die "$wrong"; }
}

# ---- one server
follow packaging/compose.yaml one.yaml
until_true 60 "the server is healthy" healthy kefu
prepare kefu "${project}_default" "$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$(docker compose ps -q kefu)")"
chat 15
kill_process kefu
until_true 60 "the server is healthy after a kill" healthy kefu
chatted "the only server is killed"
chat 15
docker compose restart > /dev/null 2>&1
chatted "the only server is restarted"
docker compose down --volumes > /dev/null 2>&1
project=''

# ---- two servers, Valkey with a replica, Sentinels, a balancer
published() { curl --silent --fail --insecure --max-time 5 --output /dev/null https://127.0.0.1:8443/healthz; }
valkey() { # CONTAINER COMMAND…
    container=$1
    shift
    docker compose exec -T "$container" sh -c 'REDISCLI_AUTH=$(cat /password/valkey) valkey-cli "$@"' sh "$@"
}
is_primary() { valkey "$1" role | grep -qx master; }
is_replica() { valkey "$1" role | grep -qx connected; }
find_primary() { primary=valkey-a replica=valkey-b; if is_primary valkey-b; then primary=valkey-b replica=valkey-a; fi; }
# at the one that is drained, by the list of all
clients() {
    in_container "$1" --json node list | tr -d ' \n' | tr '{' '\n' | grep '"alive":true.*"draining":true' \
        | sed -n 's/.*"sockets":\([0-9]*\).*/\1/p'
}
# what the balancer said last of a server; nothing while it always used it
misses() { docker compose logs balancer 2>&1 | grep "Server kefu/$1 is " | tail -n 1 | grep -q "is DOWN"; }
uses() { ! misses "$1"; }
nobody() { [ "$(clients "$1")" = 0 ]; }
all_healthy() { for each in one two valkey-a valkey-b sentinel-a sentinel-b sentinel-c; do healthy "$each" || return 1; done; }

follow packaging/compose.cluster.yaml cluster.yaml
until_true 90 "all are healthy" all_healthy
until_true 30 "the published port answers" published
[ "$(curl --silent --insecure --max-time 5 --output /dev/null --write-out '%{http_code}' https://127.0.0.1:8443/metrics)" = 404 ] \
    || die "the balancer shows /metrics to everybody"
for each in one two; do
    [ "$(in_container "$each" node list | grep -c serving)" = 2 ] || die "$each does not see two servers"
    in_container "$each" stats > /dev/null
done
prepare one "${project}_front" 10.84.1.10

for each in one two; do
    chat 15
    kill_process "$each"
    until_true 60 "$each is healthy after a kill" healthy "$each"
    chatted "$each is killed"
    until_true 90 "the balancer uses $each again" uses "$each"
done
chat 60
for each in one two; do
    in_container "$each" node drain > /dev/null
    until_true 30 "nobody is left at $each" nobody "$each"
    until_true 30 "the balancer hears that $each is drained" misses "$each"
    docker compose up -d --no-deps --force-recreate "$each" > /dev/null 2>&1
    until_true 60 "$each is healthy after its upgrade" healthy "$each"
    # Podman gives it a new hardware address, which the balancer's machine may learn after half a minute
    until_true 90 "the balancer uses $each again" uses "$each"
done
chatted "one server after the other is drained and replaced"
chat 20
docker pause "$(docker compose ps -aq two)" > /dev/null
# HAProxy marks it as down after two checks of two seconds each
until_true 30 "the balancer misses the frozen server" misses two
docker unpause "$(docker compose ps -aq two)" > /dev/null
until_true 60 "the balancer uses the server again" uses two
chatted "a server is frozen and goes on"
chat 15
kill_process balancer
until_true 30 "the published port answers again" published
chatted "the balancer is killed"
find_primary
chat 15
kill_process "$primary"
until_true 60 "$primary is healthy after a kill" healthy "$primary"
chatted "Valkey's primary is killed and starts again"
for round in 1 2; do
    find_primary
    chat 40
    kill -KILL "$(process "$primary")"
    docker compose stop --timeout 0 "$primary" > /dev/null 2>&1
    until_true 60 "the Sentinels choose $replica" is_primary "$replica"
    docker compose start "$primary" > /dev/null 2>&1
    until_true 60 "$primary is a replica now" is_replica "$primary"
    chatted "failover $round: the primary dies, its replica takes over"
done
chat 30
docker compose restart > /dev/null 2>&1
until_true 120 "all are healthy after a restart" all_healthy
chatted "everything is restarted"
in_container one doctor > "$tmp/doctor" || { cat "$tmp/doctor" >&2; die "doctor finds problems after all this"; }
in_container two verify > "$tmp/verify" || { cat "$tmp/verify" >&2; die "what is stored is not whole"; }
say "nothing acknowledged was lost or came twice"
