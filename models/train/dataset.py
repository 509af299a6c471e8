"""The training lines in memory: token ids, teachers' vectors, and the plan of batches.

A plan is a pure function of seed and epoch, so a run that is killed and started again meets the same batches.
"""

import hashlib
import json
import random

import numpy as np
from teachers import FOR


class Lines:
    """Rows of a corpus file with what training needs of each.

    fingerprint  SHA-256 of the texts
    ids          token ids, cut to `max_tokens`
    zh           whether the line is Chinese
    shared       float16 [n, d]: the teacher that reads both languages
    own          float16 [n, d]: shared and the language's own teacher side by side, each centred and weighted, so that
                 the dot product of two rows of one language is the wanted similarity
    intent       number of the line's wish, -1 where there is none
    family       number of the set of wishes that it is one of (what stands before "/"), -1 where there is none
    pair         number of the group of lines that mean the same, -1 where there is none
    repeat       how often a line comes in a pass
    """

    def __init__(self, rows, tokenizer, vectors, max_tokens, own_share):
        self.fingerprint = hashlib.sha256("\n".join(r["text"] for r in rows).encode()).hexdigest()
        self.ids = [e.ids for e in tokenizer.encode_batch([r["text"] for r in rows])]
        self.ids = [i if len(i) <= max_tokens else i[: max_tokens - 1] + i[-1:] for i in self.ids]
        self.zh = np.array([r["lang"] == "zh" for r in rows])
        self.intent = numbers([r.get("intent") for r in rows])
        self.family = numbers([r["intent"].rpartition("/")[0] if r.get("intent") else None for r in rows])
        self.pair = numbers([r.get("pair") for r in rows])
        self.repeat = [r.get("repeat", 1) for r in rows]
        taught = [r.get("teacher", r["text"]) for r in rows]
        self.shared = unit(vectors("use", taught)).astype(np.float16)
        self.own = None
        for lang, flag in (("zh", True), ("en", False)):
            at = np.flatnonzero(self.zh == flag)
            if not len(at):
                continue
            a = unit(centred(self.shared[at]))
            b = unit(centred(vectors(FOR[lang][1], [taught[i] for i in at])))
            share = own_share[lang]
            both = np.concatenate([a * (1 - share) ** 0.5, b * share**0.5], 1).astype(np.float16)
            if self.own is None:
                self.own = np.zeros((len(rows), both.shape[1]), np.float16)
            self.own[at] = both

    def __len__(self):
        return len(self.ids)

    def plan(self, seed, epoch, batch, chunk=24):
        """Batches of row numbers. Lines of a pair group come in twos, side by side; batches hold lines of like length."""
        r = random.Random(f"{seed}/{epoch}")
        groups = {}
        for i, p in enumerate(self.pair):
            groups.setdefault(int(p) if p >= 0 else -2 - i, []).append(i)
        units = []
        for g in groups.values():
            for _ in range(self.repeat[g[0]]):
                r.shuffle(g)
                units += [g[k : k + 2] for k in range(0, len(g), 2)]
        r.shuffle(units)
        out, per = [], max(1, chunk * batch * 3 // 4)
        for at in range(0, len(units), per):
            part = sorted(units[at : at + per], key=lambda u: (max(len(self.ids[i]) for i in u), u))
            flat = [i for u in part for i in u]
            batches = [flat[k : k + batch] for k in range(0, len(flat), batch)]
            r.shuffle(batches)
            out += batches
        return [b for b in out if len(b) >= batch // 2] or out


def numbers(values):
    """Each distinct value a number, None -1."""
    known = {}
    return np.array([-1 if v is None else known.setdefault(v, len(known)) for v in values])


def unit(x):
    x = np.asarray(x, np.float32)
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)


def centred(x):
    """Without the mean vector: a teacher's similarities then spread around zero instead of crowding at 0.3."""
    x = np.asarray(x, np.float32)
    return x - x.mean(0)


def read(file):
    with open(file, encoding="utf8") as f:
        return [json.loads(x) for x in f]
