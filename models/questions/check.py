#!/usr/bin/env python3
"""Checks the question set: `python3 models/questions/check.py`. Standard library only; ends with 1 when something is wrong.

Wrong is: a file that isn't UTF-8 CSV with the agreed columns and CRLF, too few entries, an id or a text twice (also across
files, after normalisation), an empty cell, a cell that a spreadsheet takes for a formula, an unknown sector or kind, fewer
than half of a file's near misses close to their question, and a table in README.md that isn't the counted one.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
import sys
import unicodedata
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILES = {"build-zh": ("z", 0), "build-en": ("e", 0), "score-zh": ("z", 200), "score-en": ("e", 200)}
COLUMNS = ["entry", "sector", "question", "answer", "paraphrase1", "paraphrase2", "near1", "near2", "kinds"]
ASKED = ["question", "paraphrase1", "paraphrase2", "near1", "near2"]
SECTORS = {"shop", "bank", "public", "telecom", "software", "travel"}
KINDS = [
    "number", "unit", "currency", "model", "place", "date", "product", "direction", "polarity", "range", "person",
    "attribute", "order",
]  # fmt: skip
LEAST = 75
CLOSE = 0.7  # share of common characters (zh) or words (en) in order, from which a near miss counts as close
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def normal(text: str) -> str:
    """One width, one case; no punctuation or spaces, except what tells amounts apart."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if unicodedata.category(char)[0] in "LN" or char in ".$€£%°")


def parts(text: str, name: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return list(normal(folded)) if name.endswith("zh") else re.findall(r"[\w$€£]+", folded)


def read(name: str, wrong: list[str]) -> list[dict[str, str]]:
    path = HERE / f"{name}.csv"
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        wrong.append(f"{path.name}: can't be read: {error}")
        return []
    if "\n" in text.replace("\r\n", "") or text.startswith("\ufeff"):
        wrong.append(f"{path.name}: needs CRLF after each record and no byte order mark")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    if next(reader, []) != COLUMNS:
        wrong.append(f"{path.name}: needs exactly the columns {','.join(COLUMNS)}")
        return []
    rows = []
    for fields in reader:
        if len(fields) == len(COLUMNS):
            rows.append(dict(zip(COLUMNS, fields)))
        else:
            wrong.append(f"{path.name}, line {reader.line_num}: {len(fields)} fields instead of {len(COLUMNS)}")
    return rows


def check() -> tuple[list[str], list[str]]:
    """Complaints and the table of counts."""
    wrong: list[str] = []
    seen: dict[str, str] = {}
    kinds: dict[str, Counter[str]] = {}
    entries: dict[str, int] = {}
    for name, (letter, after) in FILES.items():
        rows = read(name, wrong)
        entries[name], kinds[name] = len(rows), Counter()
        if len(rows) < LEAST:
            wrong.append(f"{name}: {len(rows)} entries, at least {LEAST} wanted")
        close = 0
        for at, row in enumerate(rows, after + 1):
            where = f"{name} {row['entry']}"
            if row["entry"] != f"{letter}{at:03}":
                wrong.append(f"{where}: {letter}{at:03} is the next id")
            if row["sector"] not in SECTORS:
                wrong.append(f"{where}: unknown sector {row['sector']}")
            mine = row["kinds"].split(" ")
            if len(mine) != 2 or not set(mine) <= set(KINDS):
                wrong.append(f"{where}: {row['kinds']!r} isn't two kinds")
            kinds[name].update(mine)
            for column, text in row.items():
                broken = any(unicodedata.category(char) in ("Cc", "Co", "Cn") for char in text) or "\ufffd" in text
                if not text or text != text.strip() or broken or text.startswith(FORMULA):
                    wrong.append(f"{where}: {column} is empty, has stray or broken characters or looks like a formula")
            for column in ASKED:
                key = normal(row[column])
                if key in seen:
                    wrong.append(f"{where}: {row[column]!r} is in {seen[key]} too")
                seen[key] = where
            question = parts(row["question"], name)
            for column in ("near1", "near2"):
                alike = difflib.SequenceMatcher(None, question, parts(row[column], name), autojunk=False).ratio()
                close += alike >= CLOSE
        if close < len(rows):  # half of two each
            wrong.append(f"{name}: only {close} of {len(rows) * 2} near misses are close to their question")
    table = ["| | " + " | ".join(FILES) + " |", "|---|" + "---|" * len(FILES)]
    table.append("| entries | " + " | ".join(str(entries[name]) for name in FILES) + " |")
    table += [f"| {kind} | " + " | ".join(str(kinds[name][kind]) for name in FILES) + " |" for kind in KINDS]
    if "\n".join(table) not in (HERE / "README.md").read_text(encoding="utf-8"):
        wrong.append("README.md: its table isn't the counted one, which is printed above")
    return wrong, table


def main() -> int:
    wrong, table = check()
    print("\n".join(table))
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
