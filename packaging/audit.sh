#!/bin/sh
# Audit of kefu's dependencies. Always: which licences, sources and crates the executable may contain (deny.toml), and that every
# npm package is from the registry, with a hash and without a script that runs at its installation. Where they can be reached:
# known vulnerabilities of crates (RustSec) and of npm packages. If that is impossible, it reports it and continues; KEFU_AUDIT=strict fails then.
#
#   KEFU_AUDIT_TOOLS  where cargo-deny is kept (default: ~/.cache/kefu/audit)
set -eu
cd "$(dirname "$0")/.."
tools="${KEFU_AUDIT_TOOLS:-$HOME/.cache/kefu/audit}"
say() { echo "audit.sh: $*" >&2; }
unchecked() {
    say "NOT CHECKED: $*"
    [ "${KEFU_AUDIT:-}" != strict ] || exit 1
}
packaging/python-tools.sh "$tools" packaging/requirements-audit.txt
PATH="$tools/bin:$PATH"

cargo-deny --locked check --hide-inclusion-graph bans licenses sources

# fetched like this the database is a few megabytes; a network that drops packets must not block the tests
if GIT_TERMINAL_PROMPT=0 timeout 90 cargo-deny --locked fetch db > /dev/null 2>&1; then
    cargo-deny --locked check --disable-fetch --hide-inclusion-graph advisories
else
    unchecked "known faults of crates: RustSec's database can't be reached from here"
fi

for lock in ui/package-lock.json tests/browser/package-lock.json; do
    python3 - "$lock" << 'PYTHON'
import json, sys
bad = []
for name, package in json.load(open(sys.argv[1]))["packages"].items():
    if not name or package.get("link"):
        continue
    resolved = package.get("resolved", "https://registry.npmjs.org/")
    if not resolved.startswith("https://registry.npmjs.org/"):
        bad.append(f"{name} is from {resolved}")
    if not package.get("integrity", "").startswith("sha512-"):
        bad.append(f"{name} has no hash")
    # npm ci runs none of them (--ignore-scripts); one that needs its script would not work
    if package.get("hasInstallScript") and not package.get("optional"):
        bad.append(f"{name} runs a script when it is installed")
if bad:
    sys.exit("audit.sh: " + sys.argv[1] + ":\n  " + "\n  ".join(bad))
PYTHON
    # the answer is a report, or a message that the registry has none
    report=$(timeout 90 npm --prefix "${lock%/*}" audit --json --package-lock-only 2> /dev/null) && found=0 || found=$?
    case $report in
        *'"auditReportVersion"'*)
            if [ "$found" != 0 ]; then
                npm --prefix "${lock%/*}" audit --package-lock-only >&2 || :
                say "$lock has packages with known vulnerabilities"
                exit 1
            fi
            ;;
        *) unchecked "known faults of npm packages in $lock: the registry answers no audit" ;;
    esac
done
say "licences, sources and crates are as deny.toml allows; npm packages have hashes and no scripts"
