#!/bin/sh
# A container image as an OCI archive: image.sh EXECUTABLE ARCH OUT.tar. Nothing runs in the build, so any architecture
# can be made on any machine.
set -eu
program=$1 arch=$2 out=$3
here=$(dirname "$0")
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
install -m 755 "$program" "$context/kefu"
mkdir "$context/data"
touch -d "@${SOURCE_DATE_EPOCH:-0}" "$context/kefu" "$context/data"
export STORAGE_DRIVER="${STORAGE_DRIVER:-vfs}" BUILDAH_ISOLATION="${BUILDAH_ISOLATION:-chroot}"
rm -f "$out"
image="localhost/kefu:build-$arch"
buildah build -q --arch "$arch" --layers=false --timestamp "${SOURCE_DATE_EPOCH:-0}" -f "$here/Containerfile" -t "$image" "$context" > /dev/null
buildah push -q "$image" "oci-archive:$out:kefu" > /dev/null
buildah rmi "$image" > /dev/null
