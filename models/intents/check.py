#!/usr/bin/env python3
"""Checks the default intents: `python3 models/intents/check.py`. Standard library only; ends with 1 when something is wrong.

Wrong is: a file that isn't UTF-8 TOML with the agreed keys, too few examples, an example twice (also across intents, after
normalisation), two examples of an intent that hardly differ, a line of `tests/` that is also an example.
"""

from __future__ import annotations

import re
import sys
import tomllib
import unicodedata
from pathlib import Path

HERE = Path(__file__).resolve().parent
KEYS = {"name", "zh", "en", "about", "zh_examples", "en_examples"}
# Fewest examples, Chinese and English.
LEAST = {"out_of_scope": (200, 150)}
LEAST_ELSE = (44, 28)
TEST_LINES = {"ask_person.txt": (200, 200), "ask_person_unseen.txt": (180, 200), "ask_person_not.txt": (60, 200)}
NEAR = 0.70  # share of common character pairs above which two examples count as one
# Words whose presence alone doesn't make two lines different.
PARTICLES = re.compile(r"(?<=.)[吗么呢啊呀吧啦了的哦喔哈嘛]$")


def normal(text: str) -> str:
    """One width, one case, no punctuation or spaces. Lines of punctuation or emoji only stay as they are."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(char for char in folded if unicodedata.category(char)[0] in "LN")
    return PARTICLES.sub("", kept) if kept else folded


def pairs(text: str) -> set[str]:
    bare = normal(text)
    return {bare[at : at + 2] for at in range(len(bare) - 1)} or {bare}


def near(one: set[str], two: set[str]) -> bool:
    return len(one & two) / len(one | two) >= NEAR


def check() -> tuple[list[str], list[str]]:
    """Complaints and a table of counts."""
    wrong: list[str] = []
    table: list[str] = []
    seen: dict[str, str] = {}
    totals = [0, 0]
    for path in sorted(HERE.glob("*.toml")):
        try:
            intent = tomllib.loads(path.read_bytes().decode("utf-8"))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            wrong.append(f"{path.name}: can't be read: {error}")
            continue
        if set(intent) != KEYS or intent.get("name") != path.stem:
            wrong.append(f"{path.name}: needs exactly the keys {sorted(KEYS)} and its own name")
            continue
        counts = []
        for lang, least in zip(("zh", "en"), LEAST.get(path.stem, LEAST_ELSE)):
            examples = intent[f"{lang}_examples"]
            counts.append(len(examples))
            if len(examples) < least:
                wrong.append(f"{path.name}: {len(examples)} {lang} examples, at least {least} wanted")
            known: list[tuple[str, set[str]]] = []
            for text in examples:
                if text != text.strip() or "\ufffd" in text or any(unicodedata.category(char) == "Cc" for char in text):
                    wrong.append(f"{path.name}: stray spaces or broken characters in {text!r}")
                key = normal(text)
                if key in seen:
                    wrong.append(f"{path.name}: {text!r} is in {seen[key]} too")
                seen[key] = path.name
                mine = pairs(text)
                twin = next((other for other, theirs in known if near(mine, theirs)), None)
                if twin and path.stem != "out_of_scope":
                    wrong.append(f"{path.name}: {text!r} hardly differs from {twin!r}")
                known.append((text, mine))
        totals = [total + count for total, count in zip(totals, counts)]
        table.append(f"{path.stem:22} {counts[0]:4} zh {counts[1]:4} en")
    for name, (fewest, most) in TEST_LINES.items():
        lines = [
            line for line in (HERE / "tests" / name).read_text(encoding="utf-8").splitlines() if line and line[0] != "#"
        ]
        keys = [normal(line) for line in lines]
        if not fewest <= len(lines) <= most:
            wrong.append(f"tests/{name}: {len(lines)} lines, {fewest} to {most} wanted")
        wrong += [
            f"tests/{name}: {line!r} is an example in {seen[key]}" for line, key in zip(lines, keys) if key in seen
        ]
        wrong += [f"tests/{name}: {line!r} twice" for at, line in enumerate(lines) if keys[at] in keys[:at]]
        table.append(f"tests/{name}: {len(lines)} lines")
    table.append(f"{len(list(HERE.glob('*.toml')))} intents, {totals[0]} zh and {totals[1]} en examples")
    return wrong, table


def main() -> int:
    wrong, table = check()
    print("\n".join(table))
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{len(wrong)} complaints", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
