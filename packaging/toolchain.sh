#!/bin/sh
# Prints the name of a toolchain for RUSTUP_TOOLCHAIN if the pinned one of rust-toolchain.toml is not available: rustup without
# it and without a network. Prints nothing if it is installed or can be installed, or if this machine has no rustup.
set -eu
cd "$(dirname "$0")/.."
command -v rustup > /dev/null || exit 0
pinned=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
rustup toolchain list 2> /dev/null | grep -q "^$pinned-" && exit 0
timeout 600 rustup toolchain install --profile minimal -c clippy -c rustfmt "$pinned" > /dev/null 2>&1 && exit 0
other=$(rustup default 2> /dev/null | cut -d ' ' -f 1)
[ -n "$other" ] || exit 0
echo "toolchain.sh: Rust $pinned is not installed and can't be installed; continuing with $other" >&2
echo "$other"
