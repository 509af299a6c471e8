#!/usr/bin/env python3
"""Prints what uses the space in a kefu executable with symbols: size.py FILE.

Sections as readelf has them; embedded files by what build.rs (model) and rust-embed (pages) make of the checkout; functions and named constants by crate. What
the linker merged or left nameless shows as the rest of its section.
"""

import collections
import gzip
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(*args):
    return subprocess.run(args, check=True, capture_output=True, text=True).stdout


def line(size, name, total):
    print(f"  {size:>12,}  {100 * size / total:5.1f} %  {name}")


def sections(file):
    """Name and size of what is loaded, largest first."""
    rows = re.findall(
        r"^\s*\[\s*\d+\]\s+(\S+)\s+(\S+)\s+\S+\s+\S+\s+([0-9a-f]+)\s+\S+\s+(\w*A\w*)\s",
        run("readelf", "-SW", file),
        re.M,
    )
    return sorted(((int(size, 16), name) for name, kind, size, _ in rows if kind != "NOBITS"), reverse=True)


def crate(symbol):
    """The crate that a symbol's code was written in: the first of its demangled path, also of `<impl …>`."""
    found = re.search(r"\b([a-z_][a-z0-9_]*)(?:\[[0-9a-f]+\])?::", symbol)
    return found.group(1) if found else "C and assembly"


def by_crate(file):
    sums = {"text": collections.Counter(), "data": collections.Counter()}
    for row in run("nm", "-S", "-C", "--defined-only", file).splitlines():
        found = re.match(r"[0-9a-f]+ ([0-9a-f]+) (\w) (.*)", row)
        if found:
            size, kind, name = found.groups()
            where = "text" if kind in "tTwW" else "data" if kind in "rRdDvV" else None
            if where:
                sums[where][crate(name)] += int(size, 16)
    return sums


def embedded():
    name = lambda f: str(f.relative_to(ROOT))
    model = [f for f in (ROOT / "models/default").rglob("*") if f.is_file()]
    pages = [f for f in (ROOT / "ui/dist").rglob("*") if f.is_file() and f.suffix not in (".html", ".js", ".css")]
    rows = [(len(gzip.compress(f.read_bytes(), 9)), f"{name(f)}, compressed") for f in model]
    return sorted(rows + [(f.stat().st_size, name(f)) for f in pages], reverse=True)


def main(file):
    loaded = sections(file)
    total = sum(size for size, _ in loaded)
    print(f"loaded from {file}: {total:,} bytes\n\nsections")
    for size, name in loaded:
        if size >= 1024:
            line(size, name, total)
    inside = embedded()
    print(f"\nembedded files: {sum(s for s, _ in inside):,} bytes")
    for size, name in inside[:12]:
        line(size, name, total)
    for title, sums in by_crate(file).items():
        print(f"\n{title} by crate: {sum(sums.values()):,} bytes have a name")
        for name, size in sums.most_common(28):
            line(size, name, total)


if __name__ == "__main__":
    main(sys.argv[1])
