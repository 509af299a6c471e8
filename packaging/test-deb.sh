#!/bin/sh
# Installs, upgrades, removes and purges a .deb in a clean Debian: test-deb.sh ROOT DEB, as root, with ROOT from debootstrap.
# Checks what the scripts guarantee: user, directory, enabled and not started, settings and data kept.
set -eu
root=$1 deb=$2
die() { echo "test-deb.sh: $*" >&2; exit 1; }
in_root() { chroot "$root" env DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
enabled() { [ -L "$root/etc/systemd/system/multi-user.target.wants/kefu.service" ]; }

cp "$deb" "$root/kefu.deb"
in_root dpkg -i /kefu.deb
enabled || die "the service is not enabled"
[ "$(in_root stat -c '%U %G %a' /var/lib/kefu)" = "kefu kefu 700" ] || die "/var/lib/kefu: $(in_root stat -c '%U %G %a' /var/lib/kefu)"
in_root runuser -u kefu -- kefu init --no-passphrase --name Clean > /dev/null
[ -f "$root/var/lib/kefu/kefu.redb" ] || die "init as kefu did not use /var/lib/kefu"

# upgrade: a version above, with an administrator's settings in place
echo KEFU_LOG__LEVEL=debug >> "$root/etc/default/kefu"
sum=$(sha256sum < "$root/var/lib/kefu/company.keys")
higher=$(mktemp -d)
trap 'rm -rf "$higher"' EXIT
dpkg-deb -R "$deb" "$higher/p"
sed -i 's/^Version: .*/Version: 99/' "$higher/p/DEBIAN/control"
dpkg-deb --root-owner-group -Zgzip -z1 --build "$higher/p" "$root/higher.deb" > /dev/null
in_root dpkg -i /higher.deb
grep -q KEFU_LOG__LEVEL=debug "$root/etc/default/kefu" || die "the upgrade lost settings"
enabled || die "the upgrade disabled the service"

in_root dpkg -r kefu
[ ! -e "$root/usr/bin/kefu" ] || die "the executable is still there"
in_root dpkg -P kefu
[ "$(sha256sum < "$root/var/lib/kefu/company.keys")" = "$sum" ] || die "removal touched the data"
! enabled || die "the service is still enabled"

# the package of another machine
sed -i 's/!= "[a-z0-9_]*"/!= "riscv64"/; s/is for [a-z0-9_]*,/is for riscv64,/' "$higher/p/DEBIAN/preinst"
dpkg-deb --root-owner-group -Zgzip -z1 --build "$higher/p" "$root/foreign.deb" > /dev/null
if said=$(in_root dpkg -i /foreign.deb 2>&1); then die "a package of another machine was installed"; fi
echo "$said" | grep -q "this package is for riscv64, this machine is $(uname -m)" || die "it says: $said"
rm -f "$root"/*.deb
echo "test-deb.sh: installed, upgraded, removed, purged; settings and data kept; a wrong machine is named"
