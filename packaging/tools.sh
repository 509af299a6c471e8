#!/bin/sh
# Tools that build executables for other machines and run them here: a Rust library for musl, and qemu. Where rustup can add
# targets only qemu is needed. Installs Debian's packages, as root; elsewhere it prints what is missing.
set -eu
PATH="$HOME/.cargo/bin:$PATH"
wanted=
library() { [ -f "$("$1" --print sysroot 2> /dev/null)/lib/rustlib/src/rust/library/Cargo.lock" ]; }
if ! rustup target add x86_64-unknown-linux-musl aarch64-unknown-linux-musl > /dev/null 2>&1 \
    && ! rustup component add rust-src > /dev/null 2>&1 && ! library rustc && ! library /usr/bin/rustc; then
    wanted="rustc-web cargo-web rust-web-src"
fi
command -v qemu-aarch64 > /dev/null || command -v qemu-aarch64-static > /dev/null || wanted="$wanted qemu-user"
python3 -c 'import ensurepip' 2> /dev/null || wanted="$wanted python3-venv"
[ -n "$wanted" ] || exit 0
if ! command -v apt-get > /dev/null || [ "$(id -u)" != 0 ]; then
    echo "missing: $wanted (Debian's names)" >&2
    exit 1
fi
apt-get update -qq
# shellcheck disable=SC2086 # words
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted > /dev/null
