#!/usr/bin/env python3
"""Takes out of `intent/` and `groups/` what stands in models/intents (examples and tests) or stands here twice, and tells
labels that differ: `python3 models/train/phrasings/tidy.py`."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
INTENTS = HERE.parents[1] / "intents"
sys.path.insert(0, str(INTENTS))

from check import normal  # noqa: E402


def known() -> dict[str, str]:
    """Normalised examples with their intents, and the lines of the tests."""
    found = {}
    for file in INTENTS.glob("*.toml"):
        intent = tomllib.loads(file.read_text(encoding="utf-8"))
        found.update({normal(text): intent["name"] for text in intent["zh_examples"] + intent["en_examples"]})
    for file in (INTENTS / "tests").glob("*.txt"):
        found.update({normal(text): file.stem for text in file.read_text(encoding="utf-8").splitlines()})
    return found


def main() -> None:
    examples, seen = known(), {}
    out = 0
    # .tsv before .txt: a line about a border says more than a general one
    for file in sorted((HERE / "intent").iterdir(), key=lambda f: (f.suffix != ".tsv", f.name)):
        rows = []
        for row in file.read_text(encoding="utf-8").splitlines():
            text, _, intent = row.partition("\t")
            key, intent = normal(text), intent or file.stem
            if not text.strip() or key in examples or key in seen:
                if seen.get(key, intent) != intent or examples.get(key, intent) not in (intent, "ask_person_not"):
                    print(f"{text}: {intent} in {file.name}, {seen.get(key) or examples[key]} elsewhere")
                out += 1
                continue
            seen[key] = intent
            rows.append(row)
        file.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    lines: set[str] = set()
    for file in sorted((HERE / "groups").glob("*.txt")):
        groups = []
        for group in file.read_text(encoding="utf-8").split("\n\n"):
            kept = [t for t in group.splitlines() if t.strip() and normal(t) not in lines and normal(t) not in examples]
            out += len(group.splitlines()) - len(kept)
            lines.update(map(normal, kept))
            if len(kept) > 1:
                groups.append("\n".join(kept))
        file.write_text("\n\n".join(groups) + "\n", encoding="utf-8")
    print(f"{out} lines taken out; {len(seen)} lines with an intent, {len(lines)} in groups")


if __name__ == "__main__":
    main()
