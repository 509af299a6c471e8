#!/bin/sh
# Tests the packages in dist/ for this machine: test-dist.sh, as root, after dist.sh. lintian and rpm check them, then the .deb
# is installed, upgraded and removed in a fresh Debian (SUITE, default bookworm), and serves under its own systemd.
set -eu
cd "$(dirname "$0")/.."
die() { echo "test-dist.sh: $*" >&2; exit 1; }
for tool in debootstrap lintian rpm nsenter curl; do command -v "$tool" > /dev/null || die "$tool is missing (apt-get install $tool)"; done
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
deb="dist/kefu_${version}_$(dpkg --print-architecture).deb"
[ -f "$deb" ] || die "$deb is missing: make dist"

lintian --fail-on error "$deb"
rpm -qlp "dist/kefu-$version-1.$(uname -m).rpm" | grep -qx /usr/bin/kefu || die "the .rpm has no /usr/bin/kefu"

root=$(mktemp -d)
chmod 755 "$root"
trap 'rm -rf --one-file-system "$root"' EXIT
debootstrap --variant=minbase --include=systemd,systemd-sysv "${SUITE:-bookworm}" "$root" > /dev/null
packaging/test-deb.sh "$root" "$deb"
packaging/test-systemd.sh "$root" "$deb" "dist/kefu-$version-$(uname -m)"
