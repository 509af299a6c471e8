"""Writes a student as a Hugging Face directory with int8 weights, checks it, and writes the engine's reference vectors.

  python export.py CHECKPOINT DIR [--reference FILE]

Linear weights become I8 with one F32 scale per row (`X.weight_scale`); the word table U8, two 4-bit codes in a byte, also
with a scale per row, F16; everything else F32. The check loads the directory again and compares its vectors with those of the checkpoint under fake quantisation.
"""

import argparse
import base64
import json
from pathlib import Path

import numpy as np
import torch
from parity_sentences import sentences
from safetensors.torch import load_file, save_file
from student import Shape, Student, encode, quantise, quantise_table
from tokenizers import Tokenizer

LIMIT = 7_000_000
TABLE = "embeddings.word_embeddings.weight"


def quantised(name):
    """Whether the weight `name` is stored as int8 rows: Linear layers."""
    return name.endswith(".weight") and "LayerNorm" not in name and "embeddings." not in name


def pack(state):
    """State dict (f32) -> tensors of the file."""
    out = {}
    for name, w in state.items():
        w = w.detach().float().cpu()
        if name == TABLE:
            q, s = quantise_table(w)
            code = (q + 8).to(torch.uint8)
            out[name] = (code[:, ::2] | code[:, 1::2] << 4).contiguous()
            out[f"{name}_scale"] = s[:, 0].half().contiguous()
        elif quantised(name):
            q, s = quantise(w)
            out[name] = q.to(torch.int8).contiguous()
            out[f"{name}_scale"] = s[:, 0].contiguous()
        else:
            out[name] = w.contiguous()
    return out


def unpack(tensors):
    """The file's tensors -> f32 state dict; rounding it again gives the same integers."""
    out = {}
    for name, t in tensors.items():
        if name.endswith(".weight_scale"):
            continue
        if t.dtype == torch.uint8:
            t = torch.stack([t & 15, t >> 4], -1).flatten(1).to(torch.int8) - 8
        out[name] = t.float() * tensors[f"{name}_scale"].float()[:, None] if t.dtype == torch.int8 else t.float()
    return out


def save(model, tokenizer, folder):
    """Writes config.json, tokenizer.json, 1_Pooling/config.json and model.safetensors; returns the last one's size in bytes."""
    folder = Path(folder)
    (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
    s = model.shape
    config = {
        "architectures": ["ElectraModel"],
        "model_type": "electra",
        "hidden_act": "gelu",
        "attention_probs_dropout_prob": 0.0,
        "hidden_dropout_prob": 0.0,
        "position_embedding_type": "absolute",
        "pad_token_id": 0,
        "torch_dtype": "float32",
        **{k: v for k, v in s.dict().items() if k != "pooling"},
    }
    write_json(folder / "config.json", config)
    pooling = {
        "word_embedding_dimension": s.hidden_size,
        "pooling_mode_cls_token": s.pooling == "cls",
        "pooling_mode_mean_tokens": s.pooling == "mean",
        "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False,
    }
    write_json(folder / "1_Pooling" / "config.json", pooling)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    file = folder / "model.safetensors"
    save_file(pack(model.state_dict()), file, metadata={"format": "pt"})
    file.chmod(0o644)
    return file.stat().st_size


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf8")


def load(folder):
    """(model, tokenizer) of an exported directory, ready for mode "int8"."""
    folder = Path(folder)
    c = json.loads((folder / "config.json").read_text())
    p = json.loads((folder / "1_Pooling" / "config.json").read_text())
    known = Shape.__dataclass_fields__.keys()
    shape = Shape(
        **{k: v for k, v in c.items() if k in known}, pooling="cls" if p["pooling_mode_cls_token"] else "mean"
    )
    model = Student(shape)
    model.load_state_dict(unpack(load_file(folder / "model.safetensors")))
    return model.eval(), Tokenizer.from_file(str(folder / "tokenizer.json"))


def check(model, tokenizer, folder):
    """(mean, smallest) cosine, over the test sentences, between `model` under fake quantisation and the exported directory.

    Two orders of f32 sums differ in the last bit; where that moves an activation over a rounding boundary, one int8 step
    follows and a short text's cosine drops by up to a thousandth. Hence two bounds.
    """
    texts = sentences()
    a = encode(model, tokenizer, texts, mode="fake")
    b = encode(*load(folder), texts, mode="int8")
    c = (a * b).sum(1)
    return float(c.mean()), float(c.min())


def reference(folder):
    """Token ids and int8 vectors of the test sentences; vectors as base64 of little-endian int16 in units of 1/32767.

    What is not integer is f64 here: f32 sums of another order would round some activation the other way.
    """
    model, tokenizer = load(folder)
    model = model.double()
    texts = sentences()
    ids = [e.ids for e in tokenizer.encode_batch(texts)]
    vectors = encode(model, tokenizer, texts, mode="int8", batch=1)
    rows = []
    for text, i, v in zip(texts, ids, vectors):
        q = np.rint(v * 32767).astype("<i2")
        rows.append({"text": text, "ids": i, "vector": base64.b64encode(q.tobytes()).decode()})
    return {"dim": int(vectors.shape[1]), "unit": 32767, "max_tokens": 128, "sentences": rows}


def save_reference(folder, file):
    r = reference(folder)
    head = {k: v for k, v in r.items() if k != "sentences"}
    rows = ",\n".join(json.dumps(x, ensure_ascii=True, separators=(",", ":")) for x in r["sentences"])
    Path(file).write_text(json.dumps(head)[:-1] + ', "sentences": [\n' + rows + "\n]}\n", encoding="utf8")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("checkpoint", help="file written by distil.py or init_checkpoint.py")
    p.add_argument("folder", help="directory to write")
    p.add_argument("--reference", help="also write the engine's reference vectors to this file")
    a = p.parse_args()
    c = torch.load(a.checkpoint, map_location="cpu", weights_only=True)
    model = Student(Shape(**c["shape"]))
    model.load_state_dict(c["model"])
    tokenizer = Tokenizer.from_str(c["tokenizer"])
    size = save(model, tokenizer, a.folder)
    mean, low = check(model, tokenizer, a.folder)
    print(
        f"{a.folder}/model.safetensors: {size:,} bytes; cosine to the fake-quantised model: mean {mean:.6f}, smallest {low:.6f}"
    )
    if size > LIMIT:
        raise SystemExit(f"the file is larger than {LIMIT:,} bytes: take a smaller vocabulary")
    if mean < 0.9995 or low < 0.99:
        raise SystemExit("the exported directory does not reproduce the trained model")
    if a.reference:
        save_reference(a.folder, a.reference)


if __name__ == "__main__":
    main()
