"""Builds the checkpoint that training starts from: SimBERT-Tiny's layers with our vocabulary.

  python init_checkpoint.py CORPUS.jsonl OUT.pt --work DIR --setting cpu

With `--hidden` of another width than SimBERT-Tiny's only its tables are taken; the layers begin at random.
"""

import argparse
import re
from dataclasses import replace

import convert
import dataset
import numpy as np
import torch
import vocab
from fetch import Paths
from safetensors.numpy import load_file
from settings import setting
from student import Shape, Student
from teachers import fill
from tokenizers import Tokenizer


def chinese_words(paths, often=150):
    """jieba's common words of at most four characters, without people's names."""
    out = []
    for row in paths.jieba.read_text(encoding="utf8").splitlines():
        word, n, tag = row.split(" ")
        if int(n) >= often and len(word) <= 4 and all(map(vocab.han, word)) and not tag.startswith("nr"):
            out.append(word)
    return out


def lexicon(tokens, paths, threads):
    """{English word: [(Chinese word, weight)]} for the whole words among `tokens`."""
    english = [t for t in tokens if re.fullmatch("[a-z]{2,}", t)]
    chinese = chinese_words(paths)
    cache = fill("use", english + chinese, paths, threads)
    at, weight = vocab.translations(cache.get(english).astype(np.float32), cache.get(chinese).astype(np.float32))
    return {e: [(chinese[j], float(k)) for j, k in zip(a, w)] for e, a, w in zip(english, at, weight)}


def shape(tokens, s, hidden):
    """An encoder of `hidden` numbers: SimBERT-Tiny's shape at its own width, heads of 32 at others."""
    base = Shape(vocab_size=tokens, max_position_embeddings=s["positions"], pooling=s["pooling"])
    if hidden == base.hidden_size:
        return base
    return replace(base, hidden_size=hidden, num_attention_heads=hidden // 32, intermediate_size=4 * hidden)


def build(paths, rows, s, hidden=Shape.hidden_size):
    """(model, tokenizer) with the first weights; `rows` are the corpus's lines."""
    weights = convert.convert(paths.simbert)
    old = (paths.simbert / "vocab.txt").read_text(encoding="utf8").split("\n")
    old = old[: len(weights["embeddings.word_embeddings.weight"])]
    minilm = Tokenizer.from_file(str(paths.minilm / "tokenizer.json"))
    minilm.no_padding()
    minilm.no_truncation()
    pieces = [t for t, _ in sorted(minilm.get_vocab().items(), key=lambda x: x[1])]
    word_rows = load_file(paths.minilm / "model.safetensors")
    word_rows = next(v for k, v in word_rows.items() if k.endswith("word_embeddings.weight")).astype(np.float32)
    counts = vocab.count(minilm, [r["text"] for r in rows if r["lang"] == "en"])
    tokens = vocab.build(old, pieces, *counts, s["vocabulary"])
    key = "embeddings.word_embeddings.weight"
    weights[key] = vocab.table(tokens, old, weights[key], pieces, word_rows, lexicon(tokens, paths, s["threads"]))
    key = "embeddings.position_embeddings.weight"
    weights[key] = weights[key][: s["positions"]]
    torch.manual_seed(s["seed"])
    model = Student(shape(len(tokens), s, hidden))
    own = model.state_dict()
    taken = {k: torch.tensor(v) for k, v in weights.items() if own[k].shape == v.shape}
    model.load_state_dict({**own, **taken})
    return model, vocab.tokenizer(tokens)


def save(model, tokenizer, path):
    """A checkpoint that export.py and distil.py read: shape, weights and tokenizer in one file."""
    torch.save({"shape": model.shape.dict(), "model": model.state_dict(), "tokenizer": tokenizer.to_str()}, path)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("corpus")
    p.add_argument("out")
    p.add_argument("--work", required=True, help="folder of fetch.py")
    p.add_argument("--setting", default="cpu")
    p.add_argument(
        "--hidden", type=int, default=Shape.hidden_size, help="width of the encoder, a multiple of 32 or 312"
    )
    a = p.parse_args()
    model, tokenizer = build(Paths(a.work), dataset.read(a.corpus), setting(a.setting), a.hidden)
    save(model, tokenizer, a.out)
    print(f"{a.out}: {model.shape.vocab_size} entries, {sum(x.numel() for x in model.parameters()):,} parameters")


if __name__ == "__main__":
    main()
