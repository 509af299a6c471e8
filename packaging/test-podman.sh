#!/bin/sh
# Runs a command with a Podman that answers as Docker does, for machines without Docker: test-podman.sh COMMAND…, as root.
# Containers get the limits of the machine where those are below Podman's own. Without systemd, whose timers Podman needs
# for that, it runs health checks itself; on a machine with both versions of cgroups, which crun refuses, crun sees the first.
set -eu
die() { echo "test-podman.sh: $*" >&2; exit 1; }
[ $# -gt 0 ] || { echo "usage: test-podman.sh COMMAND…" >&2; exit 2; }
for tool in podman crun iptables; do command -v "$tool" > /dev/null || die "$tool is missing (apt-get install $tool)"; done
tmp=$(mktemp -d)
service='' health=''
# shellcheck disable=SC2329 # called by the trap
end() {
    [ -z "$health" ] || kill "$health" 2> /dev/null || :
    [ -z "$service" ] || kill "$service" 2> /dev/null || :
    rm -rf "$tmp"
}
trap end EXIT
trap 'exit 1' INT TERM HUP

# `ulimit -H -u` is not in every sh
limit() { prlimit --noheadings --output HARD "--$1" | tr -d ' '; }
least() { if [ "$1" = unlimited ] || [ "$1" -gt "$2" ]; then echo "$2"; else echo "$1"; fi; }
files=$(least "$(limit nofile)" 1048576)
# podman gives itself no more than 32768 where it may not raise the limit
processes=$(least "$(limit nproc)" 32768)

runtime=$(command -v crun)
if grep -qs . /sys/fs/cgroup/unified/cgroup.controllers; then
    # where podman looks for containers that run, also after this script
    mkdir -p /run/kefu-test
    cat > /run/kefu-test/crun << SH
#!/bin/sh
[ "\${UNSHARED:-}" ] || UNSHARED=1 exec unshare -m --propagation slave "\$0" "\$@"
umount /sys/fs/cgroup/unified
exec $runtime "\$@"
SH
    chmod 755 /run/kefu-test/crun
    runtime=/run/kefu-test/crun
fi
cat > "$tmp/containers.conf" << CONF
[containers]
default_ulimits = ["nofile=$files:$files", "nproc=$processes:$processes"]
[engine]
runtime = "crun"
[engine.runtimes]
crun = ["$runtime"]
CONF
export CONTAINERS_CONF="$tmp/containers.conf"

podman system service --time=0 "unix://$tmp/podman.sock" > "$tmp/log" 2>&1 &
service=$!
tries=100
until [ -S "$tmp/podman.sock" ]; do
    tries=$((tries - 1))
    if [ "$tries" = 0 ] || ! kill -0 "$service" 2> /dev/null; then cat "$tmp/log" >&2; die "podman does not answer"; fi
    sleep 0.1
done
if [ ! -d /run/systemd/system ]; then
    while :; do
        for container in $(podman ps -q --filter status=running 2> /dev/null); do
            timeout 10 podman healthcheck run "$container" > /dev/null 2>&1 &
        done
        wait
        sleep 3
    done &
    health=$!
fi
DOCKER_HOST="unix://$tmp/podman.sock" "$@"
