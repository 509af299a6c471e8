#!/bin/sh
# One session with a built executable, as an operator and a visitor would have it: found a company, serve it over TLS, send
# sealed messages through the socket, check the statistics, ask the robot for an intent, stop. Fails at the first error.
#
#   smoke.sh COMMAND…   the command that runs kefu: dist/kefu, or qemu-aarch64 -cpu cortex-a57 dist/kefu, or chroot DIR /kefu
#   DATA                a directory that does not exist yet, as kefu sees it (default: a temporary one)
set -eu
[ $# -gt 0 ] || { echo "usage: smoke.sh COMMAND…" >&2; exit 2; }
tmp=$(mktemp -d)
export KEFU_DATA_DIR="${DATA:-$tmp/data}"
# the generator is one visitor at one address
export KEFU_LIMITS__VISITOR_MESSAGES_PER_MINUTE=100000 KEFU_LIMITS__VISITOR_BURST=100000
export KEFU_LIMITS__ADDRESS_MESSAGES_PER_MINUTE=100000 KEFU_LIMITS__AGENT_MESSAGES_PER_MINUTE=100000
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || :; rm -rf "$tmp"' EXIT

fail() {
    echo "smoke: $1" >&2
    [ ! -s "$tmp/log" ] || tail -n 20 "$tmp/log" >&2
    exit 1
}
# a number or word of flat JSON
field() { sed -n 's/.*"'"$1"'": *"\{0,1\}\([^",}]*\).*/\1/p' | head -n 1; }

"$@" --version
"$@" init --name Smoke --no-passphrase --host 127.0.0.1 > "$tmp/init" || fail "init failed"

mkfifo "$tmp/ready"
"$@" --json serve --listen 127.0.0.1:0 > "$tmp/ready" 2> "$tmp/log" &
server=$!
read -r ready < "$tmp/ready" || fail "the server did not start"
listen=$(echo "$ready" | field listen)

"$@" bench prepare --agents 1 --out "$KEFU_DATA_DIR/agents.json" > "$tmp/prepare" || fail "no agent could be made"
"$@" --json bench chat --url "https://$listen" --ca "$KEFU_DATA_DIR/tls/ca.pem" --agents "$KEFU_DATA_DIR/agents.json" \
    --pairs 1 --rate 20 --seconds 2 > "$tmp/chat" || fail "messages did not come through: $(cat "$tmp/chat")"
"$@" --json stats > "$tmp/stats" || fail "no statistics"
[ "$(field running < "$tmp/stats")" = true ] || fail "stats does not see the server: $(cat "$tmp/stats")"

"$@" --json intent test 我要退货 > "$tmp/intent" || fail "no intent: $(cat "$tmp/intent")"
# the most likely comes first
intent=$(field intent < "$tmp/intent")
[ "$intent" = return ] || fail "a return was taken for $intent"
sent=$(field messages < "$tmp/chat") lost=$(field lost < "$tmp/chat") doubled=$(field doubled < "$tmp/chat")
[ "${sent:-0}" -gt 0 ] && [ "$lost$doubled" = 00 ] || fail "$sent messages, $lost lost, $doubled doubled"

kill -TERM "$server"
wait "$server" || fail "the server did not stop in good order: $?"
server=
echo "smoke: $sent sealed messages delivered over TLS, none lost; intent $intent; stopped in good order"
