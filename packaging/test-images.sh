#!/bin/sh
# Makes images of Valkey and HAProxy from Debian's packages, for tests on machines that reach no registry: test-images.sh, as
# root. Users and numbers of users are those of the public images. Prints the names of the two; `docker` is Docker or Podman.
#
#   SUITE  whose packages (default: trixie, the first with Valkey)
set -eu
engine=${ENGINE:-docker}
die() { echo "test-images.sh: $*" >&2; exit 1; }
for tool in debootstrap "$engine"; do command -v "$tool" > /dev/null || die "$tool is missing (apt-get install $tool)"; done
valkey=localhost/kefu-test/valkey haproxy=localhost/kefu-test/haproxy
if ! "$engine" image inspect "$valkey" "$haproxy" > /dev/null 2>&1; then
    root=$(mktemp -d)
    trap 'rm -rf --one-file-system "$root"' EXIT
    debootstrap --variant=minbase --include=valkey-server,valkey-sentinel,valkey-tools,haproxy "${SUITE:-trixie}" "$root" >&2
    chroot "$root" sh -eu << SH >&2
usermod --uid 999 valkey
groupmod --gid 999 valkey
usermod --uid 99 haproxy
groupmod --gid 99 haproxy
install -d -o valkey -g valkey /data
chown -R haproxy:haproxy /var/lib/haproxy
SH
    import() { # NAME CHANGE…
        image=$1
        shift
        tar -C "$root" --exclude=./usr/share/doc --exclude=./usr/share/locale --exclude=./var/cache --exclude=./var/lib/apt -c . \
            | "$engine" import "$@" - "$image" > /dev/null
    }
    import "$valkey" --change 'WORKDIR /data' --change 'USER valkey'
    import "$haproxy" --change 'USER haproxy' --change 'STOPSIGNAL SIGUSR1' \
        --change 'CMD ["haproxy","-W","-db","-f","/usr/local/etc/haproxy/haproxy.cfg"]'
fi
echo "$valkey $haproxy"
