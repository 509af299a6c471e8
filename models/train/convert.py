"""Reads SimBERT-Tiny's TensorFlow checkpoint without TensorFlow and renames its weights.

A TensorFlow "tensor bundle" is a sorted string table (the .index file: blocks of prefix-compressed keys with protobuf
values) that says where each tensor lies in the .data file. Only what such a file holds here is read: uncompressed
blocks, one shard.
"""

import struct
from pathlib import Path

import numpy as np

TYPES = {1: np.float32, 2: np.float64, 3: np.int32, 9: np.int64}


def varint(b, p):
    """(value, next position) of a little-endian base-128 number."""
    value = shift = 0
    while True:
        c = b[p]
        p += 1
        value |= (c & 127) << shift
        shift += 7
        if c < 128:
            return value, p


def block(b, offset, size):
    """The (key, value) pairs of one table block."""
    if b[offset + size] != 0:
        raise ValueError("the checkpoint's index is compressed, which this reader does not know")
    d = b[offset : offset + size]
    end = len(d) - 4 * (struct.unpack("<I", d[-4:])[0] + 1)
    p, key, out = 0, b"", []
    while p < end:
        shared, p = varint(d, p)
        fresh, p = varint(d, p)
        length, p = varint(d, p)
        key = key[:shared] + d[p : p + fresh]
        p += fresh
        out.append((key, d[p : p + length]))
        p += length
    return out


def message(b):
    """A protobuf message as {field number: [values]}."""
    p, out = 0, {}
    while p < len(b):
        tag, p = varint(b, p)
        field, wire = tag >> 3, tag & 7
        if wire == 0:
            v, p = varint(b, p)
        elif wire == 2:
            n, p = varint(b, p)
            v = b[p : p + n]
            p += n
        elif wire in (1, 5):
            n = 8 if wire == 1 else 4
            v = int.from_bytes(b[p : p + n], "little")
            p += n
        else:
            raise ValueError(f"protobuf wire type {wire} in the checkpoint's index")
        out.setdefault(field, []).append(v)
    return out


def read_bundle(prefix):
    """{name: array} of the checkpoint `prefix`.index / `prefix`.data-00000-of-00001."""
    index = Path(f"{prefix}.index").read_bytes()
    data = Path(f"{prefix}.data-00000-of-00001").read_bytes()
    footer, p = index[-48:], 0
    for _ in range(2):  # where the meta index lies: not needed
        _, p = varint(footer, p)
    at, p = varint(footer, p)
    size, p = varint(footer, p)
    out = {}
    for _, handle in block(index, at, size):
        o, q = varint(handle, 0)
        s, q = varint(handle, q)
        for key, value in block(index, o, s):
            if not key:
                continue
            e = message(value)
            shape = [message(d).get(1, [0])[0] for d in message(e[2][0]).get(2, [])] if 2 in e else []
            start, count = e.get(4, [0])[0], e.get(5, [0])[0]
            out[key.decode()] = np.frombuffer(data[start : start + count], TYPES[e[1][0]]).reshape(shape)
    return out


def electra_names(w, layers=4):
    """The checkpoint's encoder under ElectraModel's names; kernels are transposed to [out, in]."""
    out = {}
    e = "bert/embeddings/"
    for name in ("word", "position", "token_type"):
        out[f"embeddings.{name}_embeddings.weight"] = w[f"{e}{name}_embeddings"]
    pairs = [("bert/embeddings", "embeddings")]
    dense = [("bert/encoder/embedding_hidden_mapping_in", "embeddings_project")]
    for i in range(layers):
        a, b = f"bert/encoder/layer_{i}", f"encoder.layer.{i}"
        dense += [(f"{a}/attention/self/{x}", f"{b}.attention.self.{x}") for x in ("query", "key", "value")]
        for x, y in (("attention/output", "attention.output"), ("output", "output")):
            dense.append((f"{a}/{x}/dense", f"{b}.{y}.dense"))
            pairs.append((f"{a}/{x}", f"{b}.{y}"))
        dense.append((f"{a}/intermediate/dense", f"{b}.intermediate.dense"))
    for a, b in pairs:
        out[f"{b}.LayerNorm.weight"] = w[f"{a}/LayerNorm/gamma"]
        out[f"{b}.LayerNorm.bias"] = w[f"{a}/LayerNorm/beta"]
    for a, b in dense:
        out[f"{b}.weight"] = w[f"{a}/kernel"].T
        out[f"{b}.bias"] = w[f"{a}/bias"]
    return {k: np.ascontiguousarray(v, dtype=np.float32) for k, v in out.items()}


def convert(folder):
    """SimBERT-Tiny's weights from `folder` (the unpacked zip) under ElectraModel's names."""
    return electra_names(read_bundle(Path(folder) / "bert_model.ckpt"))
