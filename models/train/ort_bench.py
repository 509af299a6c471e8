"""Times the engine next to ONNX Runtime int8 on the same model, one core, one text at a time.

  python ort_bench.py MODEL_DIR BENCH_EXECUTABLE [--tokens 8,16,32,64] [--rounds 7] [--runs 200] [--cpu 1]

MODEL_DIR is an exported directory, BENCH_EXECUTABLE what `cargo bench --bench encoder --no-run` printed. The ONNX graph is
as good as one can make it: fused Attention, SkipLayerNormalization and BiasGelu, no padding mask, then `quantize_dynamic`
with one scale per channel. Both sides run on the same core, in turns; least and median of all rounds are compared.
Needs numpy, onnx, onnxruntime, safetensors, torch; writes nothing but temporary files.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from export import unpack
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import load_file

MICROSOFT = "com.microsoft"


def weights(folder):
    """The tensors of the directory as f32, codes multiplied with their scales."""
    return {name: t.float().numpy() for name, t in unpack(load_file(Path(folder) / "model.safetensors")).items()}


class Graph:
    """Collects nodes and constants."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, value, name):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(self, kind, inputs, domain="", **attributes):
        out = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [out], name=out, domain=domain, **attributes))
        return out


def build(folder, file):
    """Writes the fused f32 graph of the model in `folder`."""
    c, w, g = json.loads((Path(folder) / "config.json").read_text()), weights(folder), Graph()
    eps = c["layer_norm_eps"]

    def const(name):
        return g.constant(w[name], name)

    def product(x, name):
        return g.op("MatMul", [x, g.constant(w[f"{name}.weight"].T, f"{name}.weight")])

    def skip_norm(x, residual, dense, norm):
        inputs = [x, residual, const(f"{norm}.weight"), const(f"{norm}.bias"), const(f"{dense}.bias")]
        return g.op("SkipLayerNormalization", inputs, MICROSOFT, epsilon=eps)

    e = "embeddings"
    place = w[f"{e}.position_embeddings.weight"] + w[f"{e}.token_type_embeddings.weight"][0]
    length = g.op("Shape", ["ids"], start=1, end=2)
    zero, axis = g.constant(np.array([0], np.int64), "zero"), g.constant(np.array([0], np.int64), "axis")
    places = g.op("Slice", [g.constant(place, "places"), zero, length, axis])
    x = g.op("Add", [g.op("Gather", [const(f"{e}.word_embeddings.weight"), "ids"]), places])
    norm = [const(f"{e}.LayerNorm.weight"), const(f"{e}.LayerNorm.bias")]
    x = g.op("LayerNormalization", [x, *norm], epsilon=eps)
    if "embeddings_project.weight" in w:
        x = g.op("Add", [product(x, "embeddings_project"), const("embeddings_project.bias")])
    for n in range(c["num_hidden_layers"]):
        at = f"encoder.layer.{n}"
        names = [f"{at}.attention.self.{p}" for p in ("query", "key", "value")]
        qkv = g.constant(np.concatenate([w[f"{p}.weight"] for p in names]).T, f"{at}.qkv")
        bias = g.constant(np.concatenate([w[f"{p}.bias"] for p in names]), f"{at}.qkv.bias")
        y = g.op("Attention", [x, qkv, bias], MICROSOFT, num_heads=c["num_attention_heads"])
        dense = f"{at}.attention.output.dense"
        y = skip_norm(product(y, dense), x, dense, f"{at}.attention.output.LayerNorm")
        up = f"{at}.intermediate.dense"
        z = g.op("BiasGelu", [product(y, up), const(f"{up}.bias")], MICROSOFT)
        dense = f"{at}.output.dense"
        x = skip_norm(product(z, dense), y, dense, f"{at}.output.LayerNorm")
    mean = g.op("ReduceMean", [x, g.constant(np.array([1], np.int64), "one")], keepdims=0)
    g.nodes.append(helper.make_node("LpNormalization", [mean], ["vector"], axis=-1, p=2))
    graph = helper.make_graph(
        g.nodes,
        "encoder",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "tokens"])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, c["hidden_size"]])],
        g.constants,
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(MICROSOFT, 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), file)
    return c


def session(file):
    o = ort.SessionOptions()
    o.intra_op_num_threads = o.inter_op_num_threads = 1
    o.add_session_config_entry("session.intra_op.allow_spinning", "0")
    o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    return ort.InferenceSession(str(file), o, providers=["CPUExecutionProvider"])


def time_ort(s, tokens, runs, vocabulary):
    out = []
    for run in range(runs):
        ids = np.array([[(run * 131 + i * 37) % vocabulary for i in range(tokens)]], np.int64)
        begin = time.perf_counter()
        s.run(None, {"ids": ids})
        out.append((time.perf_counter() - begin) * 1e6)
    return out


def time_ours(bench, folder, tokens, runs, kernel):
    command = [bench, "--model", folder, "--tokens", str(tokens), "--runs", str(runs), "--json", "--kernel", kernel]
    line = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    return line["least_us"], line["median_us"]


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("folder")
    p.add_argument("bench")
    p.add_argument("--tokens", default="8,16,32,64")
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--runs", type=int, default=200)
    p.add_argument("--cpu", type=int, default=1)
    p.add_argument("--kernel", default="avx512-vnni")
    a = p.parse_args()
    os.sched_setaffinity(0, {a.cpu})
    lengths = [int(t) for t in a.tokens.split(",")]
    with tempfile.TemporaryDirectory() as t:
        plain, int8 = Path(t) / "f32.onnx", Path(t) / "int8.onnx"
        config = build(a.folder, plain)
        quantize_dynamic(
            plain,
            int8,
            per_channel=True,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul", "Attention"],
            extra_options={"DefaultTensorType": TensorProto.FLOAT},
        )
        s = session(int8)
        reference = session(plain)
        ids = np.array([[2, 770, 1860, 3]], np.int64)
        cosine = float((s.run(None, {"ids": ids})[0] * reference.run(None, {"ids": ids})[0]).sum())
        print(f"onnxruntime {ort.__version__}, {a.kernel}, cpu {a.cpu}; ORT int8 to f32 cosine {cosine:.4f}")
        times = {n: {"ours": [], "median": [], "ort": []} for n in lengths}
        for _ in range(a.rounds):
            for n in lengths:
                least, median = time_ours(a.bench, a.folder, n, a.runs, a.kernel)
                times[n]["ours"].append(least)
                times[n]["median"].append(median)
                times[n]["ort"].append(sorted(time_ort(s, n, a.runs, config["vocab_size"])))
        print("tokens   ours least/median µs   ORT int8 least/median µs   ratio least/median")
        for n, t in times.items():
            ours = min(t["ours"]), float(np.median(t["median"]))
            theirs = min(r[0] for r in t["ort"]), float(np.median([r[len(r) // 2] for r in t["ort"]]))
            print(
                f"{n:6}   {ours[0]:9.0f} / {ours[1]:6.0f}   {theirs[0]:13.0f} / {theirs[1]:6.0f}"
                f"   {ours[0] / theirs[0]:12.2f} / {ours[1] / theirs[1]:.2f}"
            )


if __name__ == "__main__":
    main()
