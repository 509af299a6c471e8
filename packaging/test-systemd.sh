#!/bin/sh
# The service under a real systemd: test-systemd.sh ROOT DEB EXECUTABLE, as root, with ROOT from debootstrap (which includes systemd).
# ROOT becomes a machine in its own namespaces, with only a loopback network. Checks what the units guarantee:
# it starts, recovers after a crash and after a hang, and refuses no client while it restarts; then at `kefu service`.
set -eu
root=$(readlink -f "$1") deb=$2 executable=$3
log=$(mktemp)
cleanup() { kill -KILL "$(first)" 2> /dev/null || :; rm -f "$log"; }
die() {
    echo "test-systemd.sh: $*" >&2
    inside journalctl --no-pager -u kefu.service -u kefu.socket | tail -20 >&2 || :
    exit 1
}

# shellcheck disable=SC2016 # expanded inside
start='root=$0
mount --make-rprivate / && mount --bind "$root" "$root" && cd "$root"
mount -t proc proc proc && mount --rbind /sys sys && mount --rbind /dev dev
mount -t tmpfs tmpfs run && mount -t tmpfs tmpfs tmp
hostname clean
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . /lib/systemd/systemd --log-target=console'
unshare --pid --mount --uts --ipc --net --fork --kill-child sh -c "$start" "$root" > "$log" 2>&1 &
machine=$!
trap cleanup EXIT
first() { pgrep -P "$machine"; }
entered() { nsenter -t "$(first)" "$@"; }
inside() { entered -m -u -i -n -p -r -w/ env -i DEBIAN_FRONTEND=noninteractive PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
# its own answer, over TLS
answers() { entered -n curl -sk -o /dev/null --max-time 20 https://127.0.0.1:8443/healthz; }
property() { inside systemctl show -P "$1" kefu.service; }
# waits for at most 90 s
until_true() {
    what=$1 n=0
    shift
    while ! "$@"; do
        n=$((n + 1))
        [ $n -lt 900 ] || die "$what"
        sleep 0.1
    done
}
up() { inside systemctl is-system-running 2> /dev/null | grep -Eq 'running|degraded'; }
restarted() { [ "$(property NRestarts)" = "$1" ] && [ "$(property ActiveState)" = active ]; }

until_true "systemd does not come up: $(tail -5 "$log")" up
# what an earlier test may have left
inside dpkg -P kefu > /dev/null 2>&1
rm -rf "$root/root/enough" "$root/root/asked" "$root/var/lib/kefu"
cp "$deb" "$root/root/kefu.deb"
inside dpkg -i /root/kefu.deb > /dev/null
inside systemctl start kefu
[ "$(property ActiveState)" = inactive ] || die "it started before there is a company"
said=$(inside runuser -u kefu -- kefu init --no-passphrase --name Clean --host chat.example.com --origin https://www.example.com 2> /dev/null)
inside systemctl start kefu || die "it does not start"
answers || die "it does not answer"
inside runuser -u kefu -- kefu site snippet web | grep -q 'src="https://chat.example.com:8443/' || die "the snippet names another host"
inside runuser -u kefu -- kefu stats > /dev/null || die "a command does not reach the server"
echo "$said" | grep -q 'console      https://chat.example.com:8443/console/' || die "init says: $said"

# root works as the owner; the robot's day keys are in memory, and only a restart keeps them
inside kefu robot on web > /dev/null || die "root can't switch the robot on"
[ -z "$(inside find /var/lib/kefu ! -user kefu)" ] || die "root left files of its own: $(inside find /var/lib/kefu ! -user kefu)"
day_keys() { inside sha256sum /run/kefu/day.keys 2> /dev/null; }
until_true "no day keys in memory" day_keys > /dev/null
inside test ! -e /var/lib/kefu/robot/day.keys || die "day keys on the disk"
keys=$(day_keys)
inside systemctl restart kefu
[ "$(day_keys)" = "$keys" ] || die "a restart lost the day keys"
inside systemctl stop kefu
inside test ! -e /run/kefu || die "a stop left the day keys"
inside systemctl start kefu
[ "$(day_keys)" != "$keys" ] || die "the day keys outlived a stop"

# a renewed certificate is loaded while it runs
certificate() { entered -n curl -skw '%{certs}' -o /dev/null --max-time 20 https://127.0.0.1:8443/healthz | sha256sum; }
before=$(certificate)
inside kefu tls renew > /dev/null || die "no new certificate"
inside systemctl kill -s HUP --kill-whom=main kefu
renewed() { [ "$(certificate)" != "$before" ]; }
until_true "the new certificate is not served" renewed
[ "$(property MemoryMax) $(property TasksMax)" = "2147483648 512" ] || die "limits: $(property MemoryMax) $(property TasksMax)"
# shellcheck disable=SC2016 # expanded inside
inside sh -c 'nsenter -t "$(systemctl show -P MainPID kefu)" -m -r -w/ -- /bin/true' 2> /dev/null && die "it may run other programs"
# this many starts in a row are normal in a test
inside systemctl reset-failed kefu

inside systemctl kill -s KILL --kill-whom=main kefu
until_true "it did not come back after a crash" restarted 1
inside systemctl kill -s STOP --kill-whom=main kefu
until_true "the watchdog did not see that it hangs" restarted 2
answers || die "it does not answer after a hang"
inside systemctl stop kefu
[ "$(property Result) $(property ExecMainStatus)" = "success 0" ] || die "stopped: $(property Result) $(property ExecMainStatus)"

# with systemd's socket, clients connect while it restarts
inside systemctl enable --now kefu.socket 2> /dev/null
answers || die "the first client does not start it"
(
    asked=0
    while [ -e "$log" ] && [ ! -e "$root/root/enough" ]; do
        answers || exit 1
        asked=$((asked + 1))
    done
    echo "$asked" > "$root/root/asked"
) &
clients=$!
for _ in 1 2 3 4 5; do inside systemctl restart kefu; done
touch "$root/root/enough"
wait $clients || die "a client was refused during a restart"
asked=$(cat "$root/root/asked")
inside systemctl disable --now kefu.socket kefu.service 2> /dev/null
inside dpkg -P kefu > /dev/null

# the same without a package
cp "$executable" "$root/root/kefu"
inside /root/kefu service install > /dev/null || die "service install failed"
inside systemctl start kefu || die "the installed service does not start"
answers || die "the installed service does not answer"
inside kefu service uninstall > /dev/null || die "service uninstall failed"
inside systemctl is-enabled kefu > /dev/null 2>&1 && die "it is still enabled"
[ -f "$root/var/lib/kefu/kefu.redb" ] || die "the data is gone"
rm -rf "$root/root/kefu" "$root/root/kefu.deb" "$root/root/enough" "$root/root/asked" "$root/var/lib/kefu"
inside systemctl poweroff 2> /dev/null || :
echo "test-systemd.sh: started, day keys in memory only, a new certificate taken, came back after a crash and a hang; $asked clients during five restarts, none refused; service install and uninstall"
