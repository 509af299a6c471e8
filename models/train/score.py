"""Scores teachers, TF-IDF and students on frozen vectors: logistic regression, nearest neighbour, retrieval, out of scope.

  python score.py --data DIR --work DIR --student NAME=PATH[@MODE] ... [--vectors NAME=FILE] [--texts FILE] [--out FILE.json]

PATH is a checkpoint (.pt) or an exported directory; MODE off, fake or int8 (default int8).
Another engine is scored by a file: `--texts FILE` writes every distinct text, one JSON string a line; the engine writes
its vectors as little-endian f32 rows in that order; `--vectors NAME=FILE` reads them.
Only dev and valid splits are used.
"""

import argparse
import json
import sys
from pathlib import Path

import dataset
import export
import numpy as np
import phrasings
import tasks
import torch
from fetch import Paths
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from student import Shape, Student, encode
from teachers import TEACHERS, fill, normalise
from tokenizers import Tokenizer
from tqdm import tqdm


class Table:
    """Vectors by text."""

    def __init__(self, texts, vectors):
        self.at = {t: i for i, t in enumerate(texts)}
        self.vectors = normalise(np.asarray(vectors, np.float32))

    def fit(self, texts):
        pass

    def get(self, texts):
        return self.vectors[[self.at[t] for t in texts]]


class TfIdf:
    """Character n-grams within words, fitted on each task's own training side."""

    def fit(self, texts):
        self.v = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), sublinear_tf=True).fit(texts)

    def get(self, texts):
        return self.v.transform(texts)


def product(a, b):
    s = a @ b.T
    return s.toarray() if hasattr(s, "toarray") else s


def percent(x):
    return round(100 * float(x), 1)


def classify(task, source):
    """Accuracy of logistic regression and of the nearest neighbour; area under ROC of telling texts of no class."""
    x, y = zip(*task.train)
    source.fit(x)
    train, dev = source.get(x), source.get([t for t, _ in task.dev])
    gold, y = np.array([c for _, c in task.dev]), np.array(y)
    model = LogisticRegression(C=10 if isinstance(source, TfIdf) else 30, max_iter=300).fit(train, y)
    near = product(dev, train)
    right = model.predict(dev) == gold
    sure = model.predict_proba(dev).max(1)
    surest = np.argsort(-sure, kind="stable")[: round(0.9 * len(gold))]
    out = {
        "LR": percent(right.mean()),
        "LR, surest 90 %": percent(right[surest].mean()),
        "1NN": percent((y[near.argmax(1)] == gold).mean()),
    }
    if task.outside:
        rest = source.get(task.outside)
        inside = np.r_[np.ones(dev.shape[0]), np.zeros(rest.shape[0])]
        sure = np.r_[sure, model.predict_proba(rest).max(1)]
        close = np.r_[near.max(1), product(rest, train).max(1)]
        out["out-of-scope AUC, LR"] = percent(roc_auc_score(inside, sure))
        out["out-of-scope AUC, 1NN"] = percent(roc_auc_score(inside, close))
    return out


def retrieve(task, source):
    """R@1 and mean reciprocal rank; equal scores count against the right answer."""
    source.fit(task.candidates)
    s = product(source.get(task.queries), source.get(task.candidates))
    right = s[np.arange(len(s)), task.gold][:, None]
    rank = (s >= right).sum(1)
    return {"R@1": percent((rank == 1).mean()), "MRR": percent((1 / rank).mean())}


def student(path, mode, texts):
    """Vectors of a checkpoint or an exported directory."""
    if path.endswith(".pt"):
        c = torch.load(path, map_location="cpu", weights_only=True)
        model, tokenizer = Student(Shape(**c["shape"])), Tokenizer.from_str(c["tokenizer"])
        model.load_state_dict(c["model"])
    else:
        model, tokenizer = export.load(path)
    return encode(model, tokenizer, texts, mode)


def named(values):
    for v in values:
        name, _, rest = v.partition("=")
        yield name, rest


def sources(a, paths, texts):
    """(name, source) of everything asked for."""
    if not a.no_teachers:
        yield "TF-IDF", TfIdf()
        kept = Paths(a.work)
        kept.vectors = Path(a.work) / "score-vectors"
        own = {n: fill(n, texts, kept, a.threads).get(texts).astype(np.float32) for n in TEACHERS}
        yield "USE-m3", Table(texts, own["use"])
        yield "RoFormer-Sim", Table(texts, own["roformer"])
        yield "RoFormer-Sim + USE", Table(texts, np.concatenate([own["roformer"], own["use"]], 1))
        yield "MiniLM", Table(texts, own["minilm"])
    for name, rest in named(a.student):
        path, _, mode = rest.partition("@")
        yield name, Table(texts, student(path, mode or "int8", texts))
    for name, file in named(a.vectors):
        v = np.fromfile(file, "<f4")
        if not len(v) or len(v) % len(texts):
            raise SystemExit(f"{file} holds {len(v)} numbers, no multiple of the {len(texts)} texts of --texts")
        yield name, Table(texts, v.reshape(len(texts), -1))


def markdown(results):
    """Rows are tasks and measures, columns what was scored."""
    names = list(results)
    rows = [k for k in results[names[0]]]
    out = ["| task | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for k in rows:
        best = max(results[n][k] for n in names)
        cells = [f"**{results[n][k]}**" if results[n][k] == best else str(results[n][k]) for n in names]
        out.append(f"| {k} | " + " | ".join(cells) + " |")
    return "\n".join(out)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--data", required=True)
    p.add_argument("--work", required=True)
    p.add_argument("--student", action="append", default=[], metavar="NAME=PATH[@MODE]")
    p.add_argument("--vectors", action="append", default=[], metavar="NAME=FILE")
    p.add_argument(
        "--texts", metavar="FILE", help="write the texts to encode and stop, unless something is to be scored"
    )
    p.add_argument("--no-teachers", action="store_true", help="students and files only")
    p.add_argument("--out", help="also write the scores as JSON")
    p.add_argument(
        "--intents", default=Path(__file__).parent.parent / "intents", type=Path, help="folder of the default intents"
    )
    p.add_argument("--corpus", help="corpus.jsonl: its lines are left out of the default intents' held-out tenth")
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    paths = Paths(a.work)
    trained = frozenset(r["text"].lower() for r in dataset.read(a.corpus)) if a.corpus else frozenset()
    todo = [*tasks.every(Path(a.data), paths), *tasks.own_intents(a.intents, trained, phrasings.labelled())]
    texts = sorted({t for x in todo for t in x.texts()})
    if a.texts:
        Path(a.texts).write_text("".join(json.dumps(t, ensure_ascii=False) + "\n" for t in texts), encoding="utf8")
        if a.no_teachers and not a.student and not a.vectors:
            return
    results = {}
    for name, source in sources(a, paths, texts):
        results[name] = {}
        for task in tqdm(todo, desc=name, leave=False):
            score = classify if isinstance(task, tasks.Classify) else retrieve
            results[name].update({f"{task.name}: {k}": v for k, v in score(task, source).items()})
        print(f"{name}: {json.dumps(results[name], ensure_ascii=False)}", file=sys.stderr, flush=True)
        if a.out:
            Path(a.out).write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf8")
    print(markdown(results))


if __name__ == "__main__":
    main()
