"""The teachers and a cache of their vectors.

  python teachers.py CORPUS.jsonl --work DIR

Teachers: `roformer` (RoFormer-Sim-small, zh), `use` (USE-multilingual-v3, zh and en), `minilm` (all-MiniLM-L6-v2, en),
all Apache-2.0. Vectors are normalised float16, appended to one file per teacher; a run that was killed goes on where it
stopped, and a later run only encodes what is new.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
from fetch import Paths
from tqdm import tqdm

FOR = {"zh": ("use", "roformer"), "en": ("use", "minilm")}


def normalise(x):
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)


def onnx_session(path, threads, extensions=False):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    if extensions:
        import onnxruntime_extensions

        options.register_custom_ops_library(onnxruntime_extensions.get_library_path())
    return ort.InferenceSession(str(path), options)


class RoFormer:
    """RoFormer-Sim-small: character level, cut at 64 tokens."""

    dim = 384

    def __init__(self, paths, threads=1):
        from tokenizers import BertWordPieceTokenizer

        self.session = onnx_session(paths.roformer / "roformer_unilm_small.onnx", threads)
        self.tokenizer = BertWordPieceTokenizer(str(paths.roformer / "roformer_vocab.txt"), lowercase=True)
        self.tokenizer.enable_truncation(64)

    def encode(self, texts):
        ids = [e.ids for e in self.tokenizer.encode_batch(texts)]
        x = np.zeros((len(ids), max(map(len, ids))), np.float32)
        for j, i in enumerate(ids):
            x[j, : len(i)] = i
        return self.session.run(None, {"Input-Token": x, "Input-Segment": np.zeros_like(x)})[0]


class Use:
    """USE-multilingual-v3: takes strings."""

    dim = 512

    def __init__(self, paths, threads=1):
        self.session = onnx_session(paths.use / "embedding_model_quantized.onnx", threads, extensions=True)
        self.input = self.session.get_inputs()[0].name

    def encode(self, texts):
        return self.session.run(None, {self.input: [t if t.strip() else "." for t in texts]})[0]


class MiniLM:
    """all-MiniLM-L6-v2, mean pooling: a plain BERT, run by our own encoder."""

    dim = 384

    def __init__(self, paths, threads=1):
        import torch
        from safetensors.torch import load_file
        from student import Shape, Student
        from tokenizers import Tokenizer

        torch.set_num_threads(threads)
        c = json.loads((paths.minilm / "config.json").read_text())
        shape = Shape(
            **{k: v for k, v in c.items() if k in Shape.__dataclass_fields__}, embedding_size=c["hidden_size"]
        )
        self.model = Student(shape)
        weights = {k.removeprefix("bert."): v.float() for k, v in load_file(paths.minilm / "model.safetensors").items()}
        own = self.model.state_dict().keys()
        self.model.load_state_dict({k: v for k, v in weights.items() if k in own})
        self.tokenizer = Tokenizer.from_file(str(paths.minilm / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(96)

    def encode(self, texts):
        from student import encode

        return encode(self.model, self.tokenizer, texts, mode="off")


TEACHERS = {"roformer": RoFormer, "use": Use, "minilm": MiniLM}


class Cache:
    """Vectors of one teacher on disk: NAME.f16 (rows) and NAME.keys (16 bytes each), appended together."""

    def __init__(self, folder, name, dim):
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.rows, self.keys, self.dim = folder / f"{name}.f16", folder / f"{name}.keys", dim
        for f in (self.rows, self.keys):
            f.touch()
        n = min(self.rows.stat().st_size // (2 * dim), self.keys.stat().st_size // 16)
        for f, width in ((self.rows, 2 * dim), (self.keys, 16)):  # a killed run may have left half a row
            with open(f, "r+b") as h:
                h.truncate(n * width)
        data = self.keys.read_bytes()
        self.at = {data[i * 16 : i * 16 + 16]: i for i in range(n)}

    @staticmethod
    def key(text):
        return hashlib.blake2b(text.encode(), digest_size=16).digest()

    def missing(self, texts):
        """The texts that have no vector yet, without repeats, short ones first (batches then hold like lengths)."""
        return sorted({t for t in texts if self.key(t) not in self.at}, key=lambda t: (len(t), t))

    def add(self, texts, vectors):
        with open(self.rows, "ab") as f:
            f.write(normalise(np.asarray(vectors, np.float32)).astype("<f2").tobytes())
        with open(self.keys, "ab") as f:
            f.write(b"".join(map(self.key, texts)))
        for t in texts:
            self.at[self.key(t)] = len(self.at)

    def get(self, texts):
        """float16 [n, dim] in the order of `texts`; every text must be there."""
        rows = np.memmap(self.rows, "<f2", "r").reshape(-1, self.dim)
        return rows[[self.at[self.key(t)] for t in texts]]


def fill(name, texts, paths, threads=1, batch=64):
    """Encodes what the cache of teacher `name` lacks; returns the cache."""
    kind = TEACHERS[name]
    cache = Cache(paths.vectors, name, kind.dim)
    missing = cache.missing(texts)
    if missing:
        teacher = kind(paths, threads)
        for at in tqdm(range(0, len(missing), batch), desc=name, unit="batch", mininterval=5):
            part = missing[at : at + batch]
            cache.add(part, teacher.encode(part))
    return cache


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("corpus")
    p.add_argument("--work", required=True)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument(
        "--only", choices=TEACHERS, action="append", help="this teacher only (several processes can share the work)"
    )
    a = p.parse_args()
    with open(a.corpus, encoding="utf8") as f:
        rows = [json.loads(x) for x in f]
    for name in a.only or TEACHERS:
        texts = [r.get("teacher", r["text"]) for r in rows if name in FOR[r["lang"]]]
        fill(name, texts, Paths(a.work), a.threads)


if __name__ == "__main__":
    main()
