"""The scoring tasks: train/dev and train/valid splits only. Test splits are kept for a final scoring and never read.

Each task holds texts and labels; nothing here encodes anything. Few-shot draws are fixed by a seed.
"""

import csv
import gzip
import json
import random
import tomllib
from dataclasses import dataclass, field


@dataclass
class Classify:
    """Labelled texts to learn from and to be judged on; `outside`: texts of no class."""

    name: str
    train: list
    dev: list
    outside: list = field(default_factory=list)

    def texts(self):
        return [t for t, _ in self.train] + [t for t, _ in self.dev] + self.outside


@dataclass
class Retrieve:
    """Question i's answer is candidate `gold[i]`."""

    name: str
    queries: list
    candidates: list
    gold: list

    def texts(self):
        return self.queries + self.candidates


def tsv(path):
    return [tuple(x.rsplit("\t", 1)) for x in path.read_text(encoding="utf8").splitlines() if "\t" in x]


def seq(folder):
    texts = (folder / "seq.in").read_text(encoding="utf8").splitlines()
    return list(zip(texts, (folder / "label").read_text(encoding="utf8").splitlines(), strict=True))


def bitext(path):
    with open(path, encoding="utf8", newline="") as f:
        return [(r["utterance"], r["intent"]) for r in csv.DictReader(f)]


def shots(rows, k, seed):
    """k rows of each label."""
    r, by = random.Random(seed), {}
    for text, label in rows:
        by.setdefault(label, []).append(text)
    return [(t, label) for label in sorted(by) for t in r.sample(by[label], min(k, len(by[label])))]


def smp2017(data, places, seed):
    d = data / "smp2017-ecdt"
    yield Classify("zh SMP2017, 31 classes", tsv(d / "train.tsv"), tsv(d / "develop.tsv"))


def tonghuashun(data, places, seed):
    r = random.Random(seed)
    with open(data / "ths-faq" / "dev.jsonl", encoding="utf8") as f:
        rows = [json.loads(x) for x in f]
    drawn = [(str(x["faq_id"]), r.sample(x["similar"], 9)) for x in rows if len(x["similar"]) >= 9]
    train = [(t, i) for i, s in drawn for t in s[:5]]
    dev = [(t, i) for i, s in drawn for t in s[5:]]
    yield Classify(f"zh 同花顺 FAQ, {len(drawn)} classes, 5 shots", train, dev)
    at = {i: n for n, (i, _) in enumerate(drawn)}
    yield Retrieve(
        "zh 同花顺 FAQ, 1 entry each", [t for t, _ in dev], [s[0] for _, s in drawn], [at[i] for _, i in dev]
    )


def english(data, places, seed):
    base = data / "few-shot-intent-en" / "Datasets"
    folder = data / "bitext-customer-service-en"
    pattern = "Bitext_Sample_Customer_Service_{}_Dataset.csv"
    train, dev = bitext(folder / pattern.format("Training")), bitext(folder / pattern.format("Validation"))
    yield Classify("en Bitext, 27 classes, 10 shots", shots(train, 10, seed), dev)
    b = base / "BANKING77"
    yield Classify("en BANKING77, 77 classes, 10 shots", seq(b / "train_10"), seq(b / "valid"))
    c = base / "CLINC150"
    outside = [t for t, _ in seq(c / "oos" / "valid")]
    yield Classify("en CLINC150, 150 classes, 10 shots", seq(c / "train_10"), seq(c / "valid"), outside)


def insurance(data, places, seed):
    """zh question -> its English original among 500 (InsuranceQA valid, machine-translated; GPL, scoring only)."""
    with gzip.open(places.insurance / "valid.json.gz") as f:
        rows = list(json.load(f).values())[:500]
    yield Retrieve("zh→en InsuranceQA, 500", [x["zh"] for x in rows], [x["en"] for x in rows], list(range(len(rows))))


def own_intents(folder, trained=frozenset(), more=()):
    """The default intents: nine tenths of each file's examples and `more` to learn from, the rest to be judged on. Held-out
    lines among `trained` (lower case) are left out."""
    train, dev, outside = [(text, intent) for text, intent in more if intent != "out_of_scope"], [], []
    for file in sorted(folder.glob("*.toml")):
        t = tomllib.loads(file.read_text(encoding="utf8"))
        for key in ("zh_examples", "en_examples"):
            for i, text in enumerate(t[key]):
                held = i % 10 == 4
                if held and text.lower() in trained:
                    continue
                if t["name"] == "out_of_scope":
                    outside += [text] * held
                else:
                    (dev if held else train).append((text, t["name"]))
    if train:
        yield Classify(f"zh+en default intents, {len({c for _, c in train})} classes", train, dev, outside)


def every(data, places, seed=7):
    """All tasks whose data are there; what is missing is said and left out."""
    for make in (smp2017, tonghuashun, english, insurance):
        try:
            yield from make(data, places, seed)
        except FileNotFoundError as e:
            print(f"score: {e.filename} is missing, task left out")
