#!/bin/sh
# Builds the executable for servers: build.sh TARGET…, of the three in `targets` below. Static, against musl; its C by zig.
#
# The standard library comes from one of these sources, and the script prints which one it used:
#   rustup   toolchains of rustup that can add the target
#   source   a compiler with the sources of its library beside it: rustup's component rust-src, or Debian's rustc-web,
#            cargo-web, rust-web-src. The library is compiled with the executable
#   cross    the program of that name with Docker or Podman (cross.toml), which has the library and a C compiler in an image
#
#   CARGO_TARGET_DIR  where to build (default: target)
#   KEFU_PROFILE      cargo's profile (default: release; `smoke` is linked faster and larger)
#   KEFU_TOOLS        where zig and cargo-zigbuild are kept (default: ~/.cache/kefu/tools)
set -eu
cd "$(dirname "$0")/.."
targets="x86_64-unknown-linux-musl aarch64-unknown-linux-musl loongarch64-unknown-linux-musl"
tools="${KEFU_TOOLS:-$HOME/.cache/kefu/tools}"
profile="${KEFU_PROFILE:-release}"

die() { echo "build.sh: $*" >&2; exit 1; }
say() { echo "build.sh: $*" >&2; }
[ $# -gt 0 ] || die "which target? $targets"
for target; do
    case " $targets " in *" $target "*) ;; *) die "$target is not one of: $targets" ;; esac
done

packaging/python-tools.sh "$tools" packaging/requirements-build.txt
PATH="$tools/bin:$HOME/.cargo/bin:$PATH"
other=$(packaging/toolchain.sh)
[ -z "$other" ] || export RUSTUP_TOOLCHAIN="$other"

# where a compiler's library sources are, if it has them
sources() { src=$("$1" --print sysroot)/lib/rustlib/src/rust/library && [ -f "$src/Cargo.lock" ] && readlink -f "$src"; }

way() {
    if command -v rustup > /dev/null; then
        rustup target add "$1" > /dev/null 2>&1 && echo rustup && return
        rustup component add rust-src > /dev/null 2>&1 || :
    fi
    for rustc in rustc /usr/bin/rustc; do
        if command -v "$rustc" > /dev/null && sources "$rustc" > /dev/null; then
            echo "source $(command -v "$rustc")"
            return
        fi
    done
    if command -v cross > /dev/null && { command -v docker || command -v podman; } > /dev/null; then
        echo cross
        return
    fi
    echo none
}

# the same bytes for any location of the checkout, the home directory and the registry
unit=$(printf '\037')
home="${CARGO_HOME:-$HOME/.cargo}"
remap="--remap-path-prefix=$PWD=/kefu${unit}--remap-path-prefix=$home/registry/src=/crates"
CFLAGS="-ffile-prefix-map=$PWD=/kefu -ffile-prefix-map=$home/registry/src=/crates"
export CFLAGS PATH CARGO_INCREMENTAL=0
SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || echo 0)}"
export SOURCE_DATE_EPOCH

for target; do
    flags="$remap"
    # shellcheck disable=SC2046 # a way and its words
    set -- $(way "$target")
    case $1 in
        rustup)
            say "$target: library from rustup"
            # Rust's own linker: zig's makes no executable that can be loaded anywhere (static-pie)
            linker="CARGO_TARGET_$(echo "$target" | tr a-z- A-Z_)_LINKER"
            flags="$flags${unit}-Clink-arg=--pack-dyn-relocs=relr"
            # functions with the same code become one: fifty kilobytes
            env "$linker=rust-lld" CARGO_ENCODED_RUSTFLAGS="$flags" cargo-zigbuild rustc --profile "$profile" --locked \
                --target "$target" --bin kefu -- -Clink-arg=--icf=all
            ;;
        source)
            library=$(sources "$2")
            say "$target: library compiled from $library"
            flags="$flags${unit}--remap-path-prefix=$library=/rust/library"
            case $target in
                loongarch64-*) ;;
                # Debian's compiler has no C runtime of musl: zig has one
                *) flags="$flags${unit}-Clink-self-contained=no" ;;
            esac
            cargo="$(dirname "$2")/cargo"
            RUSTC="$2" RUSTDOC="$(dirname "$2")/rustdoc" CARGO="$cargo" RUSTC_BOOTSTRAP=1 CARGO_ENCODED_RUSTFLAGS="$flags" \
                cargo-zigbuild build --profile "$profile" --locked -Zbuild-std=std,panic_abort --target "$target"
            ;;
        cross)
            say "$target: by cross"
            # it sets its own flags, which these would replace
            env -u CARGO_ENCODED_RUSTFLAGS CROSS_CONFIG=cross.toml cross build --profile "$profile" --locked --target "$target"
            ;;
        *)
            die "$target: no library for it. Either of these helps:
  rustup target add $target
  apt-get install rustc-web cargo-web rust-web-src    (Debian)
  rustup component add rust-src
  cross, with Docker or Podman                        (cross.toml)"
            ;;
    esac
done
