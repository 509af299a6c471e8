#!/bin/sh
# Lints what is neither Rust nor a page: shell scripts (shellcheck) and Python (ruff).
#
#   KEFU_LINT_TOOLS  where both are kept (default: ~/.cache/kefu/lint)
set -eu
cd "$(dirname "$0")/.."
tools="${KEFU_LINT_TOOLS:-$HOME/.cache/kefu/lint}"
packaging/python-tools.sh "$tools" packaging/requirements-lint.txt
PATH="$tools/bin:$PATH"

if command -v shellcheck > /dev/null; then
    shellcheck packaging/*.sh benches/*.sh .ci/run packaging/deb/p* tests/data/schema/*.sh
else
    echo "lint.sh: NOT CHECKED: shell scripts: shellcheck is not installed (Debian: shellcheck)" >&2
fi
ruff check --quiet
ruff format --quiet --diff
