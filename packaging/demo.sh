#!/bin/sh
# Makes a demo company (once) and serves it. Called by `make run`: KEFU is the executable, DIR the data directory,
# LISTEN the address. Browsers treat plain http on loopback as secure, so no certificate is needed.
set -eu
export KEFU_DATA_DIR="$DIR"
url="http://$LISTEN"

if [ ! -e "$DIR/kefu.redb" ]; then
    "$KEFU" init --name "云杉银行 Spruce Bank" --no-passphrase --json > "$DIR.init.json" 2> /dev/null
    "$KEFU" team add service --name "在线客服" > /dev/null
    "$KEFU" user add li --name "李明" --team service --json > "$DIR/li.invite.json"
    "$KEFU" site add bank --name "云杉银行" --origin "$url" --team service --form name > /dev/null
    mv "$DIR.init.json" "$DIR/admin.invite.json"
    chmod 600 "$DIR"/*.invite.json
fi
code() { sed -n 's/.*"code": *"\([^"]*\)".*/\1/p' "$1" | head -n 1; }

cat <<TEXT

  demo page   $url/demo/      (write as a visitor)
  console     $url/console/   (answer as an agent; press "Go online", 上线, to be given conversations)

  agent li's invite, for "First time" (首次登录) in the console:
    $(code "$DIR/li.invite.json")
  admin's invite:
    $(code "$DIR/admin.invite.json")

  to let the robot answer first questions (in another terminal):
    $KEFU --data-dir $DIR knowledge add "运费怎么算" "满 99 元包邮，不满收 8 元。"
    $KEFU --data-dir $DIR robot on bank

  Each invite can be used once. The demo's keys are unsealed in $DIR; \`make clean-demo\` deletes it.
  Ctrl-C stops the server.

TEXT
exec "$KEFU" serve --plain-http --listen "$LISTEN" --public-url "$url" --demo
