#!/bin/sh
# Files that a visitor sends, against a plain PUT of as many bytes over the same line: real browser, real executable, in a network of its
# own whose loopback device is as slow as tests/browser/bench/upload.bench.ts says. As root, with iproute2 and Chromium:
#   KEFU=path/of/kefu benches/uploads.sh
# RATES="20,100,0" (Mbit/s; 0: no limit), ROUNDS=5, MB=20
set -eu
cd "$(dirname "$0")/../tests/browser"
exec unshare --net sh -ec 'ip link set lo mtu 1500 up; exec npx playwright test --config playwright.bench.config.ts'
