"""The lines in `phrasings/` (see its README).

python phrasings.py > phrasings.csv     those with an intent, as `kefu intent train` reads them
"""

import csv
import sys
from pathlib import Path

FOLDER = Path(__file__).with_name("phrasings")


def labelled(folder=FOLDER):
    """(text, intent) of `intent/NAME.txt` and of `intent/*.tsv`, sorted by file."""
    for file in sorted((folder / "intent").iterdir()):
        for row in file.read_text(encoding="utf8").splitlines():
            text, _, intent = row.partition("\t")
            yield text, intent or file.stem


def groups(folder=FOLDER):
    """(text, group) of `groups/*.txt`: lines that mean the same have the same group."""
    for file in sorted((folder / "groups").glob("*.txt")):
        for n, group in enumerate(file.read_text(encoding="utf8").split("\n\n")):
            for text in group.splitlines():
                yield text, f"{file.stem}/{n}"


if __name__ == "__main__":
    out = csv.writer(sys.stdout)
    out.writerow(["text", "intent"])
    out.writerows(labelled())
