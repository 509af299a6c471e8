"""`python3 -m generate --count N --seed S --out FILE`: writes JSON lines; `--stats` reports instead of samples."""

from __future__ import annotations

import argparse
import collections
import json
import sys

from .compose import stream

BAR = 40


def progress(done: int, total: int) -> None:
    """A bar on standard error, when that is a terminal."""
    if sys.stderr.isatty():
        filled = BAR * done // total
        print(f"\r[{'#' * filled}{'.' * (BAR - filled)}] {done:,}/{total:,}", end="", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="generate", description="Customer-service utterances, Chinese and English, as JSON lines."
    )
    parser.add_argument("--count", type=int, default=400_000, help="distinct lines to write (default 400000)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same file (default 1)")
    parser.add_argument("--out", default="-", help="file to write, - for standard output (default)")
    parser.add_argument(
        "--stats", action="store_true", help="print counts by language and intent to standard error at the end"
    )
    args = parser.parse_args()
    if args.count < 1:
        parser.error("--count must be at least 1")
    counts: dict[str, collections.Counter] = {
        "lang": collections.Counter(),
        "intent": collections.Counter(),
        "domain": collections.Counter(),
    }
    pairs: dict[int, list[str]] = {}
    out = sys.stdout if args.out == "-" else open(args.out, "w", encoding="utf-8", newline="\n")
    done = 0
    try:
        for done, record in enumerate(stream(args.seed), 1):
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
            for name, counter in counts.items():
                counter[record[name]] += 1
            if "pair" in record:
                pairs.setdefault(record["pair"], []).append(record["lang"]) if args.stats else None
            if done % 2000 == 0 or done == args.count:
                progress(done, args.count)
            if done == args.count:
                break
    finally:
        if out is not sys.stdout:
            out.close()
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if done < args.count:
        print(f"the grammar gave only {done:,} distinct lines of {args.count:,} asked for", file=sys.stderr)
        return 1
    if args.stats:
        kinds = collections.Counter("+".join(sorted(langs)) for langs in pairs.values())
        for title, counter in {**counts, "pair": kinds}.items():
            print(title, json.dumps(dict(counter.most_common()), ensure_ascii=False), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
