"""Builds the checkpoint that training starts from: SimBERT-Tiny's layers with our vocabulary.

  python start.py --work DIR --data DIR OUT.pt
"""
import argparse
import collections
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from tokenizers import Tokenizer

import convert
import corpus
import vocab
from fetch import Places
from student import Shape, Student


def build(places, data, size, positions, pooling):
    """(model, tokenizer) with the first weights."""
    weights = convert.convert(places.simbert)
    old = (places.simbert / "vocab.txt").read_text(encoding="utf8").split("\n")
    old = old[: len(weights["embeddings.word_embeddings.weight"])]
    minilm = Tokenizer.from_file(str(places.minilm / "tokenizer.json"))
    minilm.no_padding()
    minilm.no_truncation()
    pieces = [t for t, _ in sorted(minilm.get_vocab().items(), key=lambda x: x[1])]
    rows = load_file(places.minilm / "model.safetensors")
    rows = next(v for k, v in rows.items() if k.endswith("word_embeddings.weight")).astype(np.float32)
    english = [r["text"] for r in corpus.public(data) if r["lang"] == "en"]
    counts = vocab.count_pieces(minilm, english) if english else collections.Counter()
    tokens = vocab.build(old, pieces, counts, size)
    table = vocab.table(tokens, old, weights["embeddings.word_embeddings.weight"], pieces, rows)
    weights["embeddings.word_embeddings.weight"] = table
    key = "embeddings.position_embeddings.weight"
    weights[key] = weights[key][:positions]
    model = Student(Shape(vocab_size=len(tokens), max_position_embeddings=positions, pooling=pooling))
    model.load_state_dict({k: torch.tensor(v) for k, v in weights.items()})
    return model, vocab.tokenizer(tokens)


def save(model, tokenizer, path):
    """A checkpoint that export.py and distil.py read: shape, weights and tokenizer in one file."""
    torch.save({"shape": model.shape.dict(), "model": model.state_dict(), "tokenizer": tokenizer.to_str()}, path)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("out")
    p.add_argument("--work", required=True, help="folder of fetch.py")
    p.add_argument("--data", required=True, help="folder with the data sets")
    p.add_argument("--size", type=int, default=15744, help="entries of the vocabulary")
    p.add_argument("--positions", type=int, default=128)
    p.add_argument("--pooling", choices=("mean", "cls"), default="mean")
    a = p.parse_args()
    model, tokenizer = build(Places(a.work), Path(a.data), a.size, a.positions, a.pooling)
    save(model, tokenizer, a.out)
    print(f"{a.out}: {model.shape.vocab_size} entries, {sum(x.numel() for x in model.parameters()):,} parameters")


if __name__ == "__main__":
    main()
