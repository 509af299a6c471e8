#!/bin/sh
# The smoke session with the executables of packaging/build.sh: smoke-all.sh DIR MACHINE…, where DIR contains one directory for
# each target. x86-64 runs in a root without anything else and on an emulated processor without AVX; the others run on
# emulated processors old and new.
set -eu
dir=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
say() { printf '\n== %s\n' "$*"; }
die() { echo "smoke-all.sh: $*" >&2; exit 1; }

qemu() {
    for name in "qemu-$1" "qemu-$1-static"; do
        command -v "$name" && return
    done
    die "qemu-$1 is missing (Debian: qemu-user; for loongarch64 that of bookworm-backports or newer)" >&2
}
# a static executable needs no file of the system
static() { ! readelf -lW "$1" | grep -q INTERP || die "$1 asks for a dynamic loader"; }
# kernels with 64 KiB pages (Kylin, openEuler on ARM) map nothing that is aligned to less
wide_pages() {
    readelf -lW "$1" | awk '/LOAD/ { if ($NF != "0x10000") bad = 1 } END { exit bad }' || die "$1: a LOAD segment is not aligned to 64 KiB"
}
refuses_old_kernels() {
    if said=$("$1" -r 2.6.32 "$2" doctor 2>&1); then die "a kernel 2.6.32 was not refused"; fi
    [ "$said" = "error: this machine runs Linux 2.6.32; $3" ] || die "of an old kernel it says: $said"
}

for machine; do
    program="$dir/$machine-unknown-linux-musl/${KEFU_PROFILE:-release}/kefu"
    [ -x "$program" ] || die "$program is missing: packaging/build.sh $machine-unknown-linux-musl"
    static "$program"
    case $machine in
        x86_64)
            say "$machine in an empty root"
            cp "$program" "$root/kefu"
            mkdir "$root/data"
            [ "$(id -u)" = 0 ] && enter="" || enter="unshare --map-root-user"
            # shellcheck disable=SC2086 # no word or two
            DATA=/data/one sh "$here/smoke.sh" $enter chroot "$root" /kefu
            say "$machine without AVX"
            sh "$here/smoke.sh" "$(qemu x86_64)" -cpu Nehalem "$program"
            refuses_old_kernels "$(qemu x86_64)" "$program" "kefu needs 3.2 or newer"
            ;;
        aarch64)
            wide_pages "$program"
            for cpu in cortex-a57 max; do
                say "$machine as $cpu"
                sh "$here/smoke.sh" "$(qemu aarch64)" -cpu "$cpu" "$program"
            done
            refuses_old_kernels "$(qemu aarch64)" "$program" "kefu needs 3.2 or newer"
            ;;
        loongarch64)
            for cpu in la464 max; do
                say "$machine as $cpu"
                sh "$here/smoke.sh" "$(qemu loongarch64)" -cpu "$cpu" "$program"
            done
            refuses_old_kernels "$(qemu loongarch64)" "$program" "kefu needs 5.19 or newer"
            ;;
        *) die "$machine is not known" ;;
    esac
done
