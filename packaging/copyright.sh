#!/bin/sh
# Debian's copyright file: kefu's licences. Those of the included libraries are in THIRD-PARTY.txt.gz.
set -eu
cd "$(dirname "$0")/.."
indent() { sed 's/^$/./; s/^/ /' "$1"; }
cat <<TEXT
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: kefu
Source: https://github.com/kefu/kefu
Comment: The executable contains libraries; THIRD-PARTY.txt.gz has their licences.

Files: *
Copyright: kefu contributors
License: MIT or Apache-2.0

License: MIT
$(indent LICENSE-MIT)

License: Apache-2.0
 On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.
TEXT
