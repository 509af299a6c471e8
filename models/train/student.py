"""The student: a small BERT encoder with a factorised embedding, and its 8-bit arithmetic (4-bit in the word table).

Three ways to run the same weights:
  off   plain f32;
  fake  every Linear weight and every activation into a Linear are rounded to their int8 grid, the word table to its
        4-bit grid; gradients pass straight through (what training uses);
  int8  sums of integer products, exact, then scaled: what the Rust engine does, bit for bit up to f32 rounding of the
        rest. Slow (float64 sums); used to export, check and score.
Names of the parameters are those of Hugging Face's ElectraModel, so that the exported file loads there too.
Nothing here reads or writes files.
"""

from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional as F

MODES = ("off", "fake", "int8")


@dataclass
class Shape:
    """Sizes of the encoder; `pooling` is "mean" (over all non-padding tokens) or "cls"."""

    vocab_size: int
    embedding_size: int = 128
    hidden_size: int = 312
    num_hidden_layers: int = 4
    num_attention_heads: int = 12
    intermediate_size: int = 1248
    max_position_embeddings: int = 128
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    pooling: str = "mean"

    def dict(self):
        return asdict(self)


def row_scale(x):
    """max|row| / 127; rows of zeros get scale 1 so that nothing is divided by zero."""
    s = x.abs().amax(-1, keepdim=True) / 127
    return torch.where(s > 0, s, torch.ones_like(s))


def quantise(x):
    """(q, s): integers in [-127, 127] kept as floats, rounded half to even, and the scale of each row."""
    s = row_scale(x)
    return (x / s).round_().clamp_(-127, 127), s


CLIPS = tuple(c / 20 for c in range(20, 10, -1))  # shares of a row's largest magnitude that may become the largest code


def quantise_table(x):
    """(q, s): like `quantise`, but 4-bit integers in [-7, 7]: of several scales each row gets the one with the least
    squared error. Scales are 16-bit floats. Rows that are on such a grid already keep it."""
    best = None
    for clip in CLIPS:
        s = (row_scale(x) * (127 / 7 * clip)).half().to(x.dtype)
        q = (x / s).round_().clamp_(-7, 7)
        e = (q * s - x).square().sum(-1, keepdim=True)
        if best is None:
            best = q, s, e
        else:
            best = tuple(torch.where(e < best[2], new, old) for new, old in zip((q, s, e), best))
    return best[:2]


class RoundedTable(torch.autograd.Function):
    """Value on the 4-bit grid of its row; the gradient passes unchanged."""

    @staticmethod
    def forward(ctx, x):
        q, s = quantise_table(x)
        return q * s

    @staticmethod
    def backward(ctx, grad):
        return grad


class Rounded(torch.autograd.Function):
    """Value on the int8 grid of its row; the gradient passes unchanged."""

    @staticmethod
    def forward(ctx, x):
        s = row_scale(x)
        return (x / s).round_().mul_(s)

    @staticmethod
    def backward(ctx, grad):
        return grad


def linear(x, parts, mode):
    """Applies the Linear layers `parts` to the same input: one rounding of the input, one matrix product."""
    weight = parts[0].weight if len(parts) == 1 else torch.cat([p.weight for p in parts])
    bias = parts[0].bias if len(parts) == 1 else torch.cat([p.bias for p in parts])
    if mode == "off":
        return F.linear(x, weight, bias)
    if mode == "fake":
        return F.linear(Rounded.apply(x), Rounded.apply(weight), bias)
    qx, sx = quantise(x)
    qw, sw = quantise(weight)
    total = (qx.double() @ qw.double().T).to(x.dtype)
    return total * (sx * sw.T) + bias


def attend(q, k, v, allowed):
    """Attention by plain products: for so few tokens a head, PyTorch's fused kernel takes several times longer on a CPU,
    most of all backwards."""
    q, k, v = (x.to(torch.promote_types(x.dtype, torch.float32)) for x in (q, k, v))
    scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
    return scores.masked_fill(~allowed, float("-inf")).softmax(-1) @ v


class SelfAttention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(c.hidden_size, c.hidden_size) for _ in range(3))


class Output(nn.Module):
    """A Linear back to the hidden width, residual and LayerNorm."""

    def __init__(self, inner, c):
        super().__init__()
        self.dense = nn.Linear(inner, c.hidden_size)
        self.LayerNorm = nn.LayerNorm(c.hidden_size, eps=c.layer_norm_eps)

    def forward(self, x, residual, mode):
        return self.LayerNorm(linear(x, [self.dense], mode) + residual)


class Intermediate(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.dense = nn.Linear(c.hidden_size, c.intermediate_size)


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.self = SelfAttention(c)
        self.output = Output(c.hidden_size, c)


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads = c.num_attention_heads
        self.attention = Attention(c)
        self.intermediate = Intermediate(c)
        self.output = Output(c.intermediate_size, c)

    def forward(self, x, allowed, mode):
        b, n, h = x.shape
        a = self.attention
        qkv = linear(x, [a.self.query, a.self.key, a.self.value], mode)
        q, k, v = qkv.view(b, n, 3, self.heads, h // self.heads).permute(2, 0, 3, 1, 4)
        y = attend(q, k, v, allowed)
        x = a.output(y.transpose(1, 2).reshape(b, n, h), x, mode)
        return self.output(F.gelu(linear(x, [self.intermediate.dense], mode)), x, mode)


class Embeddings(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.word_embeddings = nn.Embedding(c.vocab_size, c.embedding_size)
        self.position_embeddings = nn.Embedding(c.max_position_embeddings, c.embedding_size)
        self.token_type_embeddings = nn.Embedding(c.type_vocab_size, c.embedding_size)
        self.LayerNorm = nn.LayerNorm(c.embedding_size, eps=c.layer_norm_eps)

    def forward(self, ids, mode):
        words = self.word_embeddings(ids)
        if mode != "off":
            words = RoundedTable.apply(words)
        x = words + self.position_embeddings.weight[: ids.shape[1]] + self.token_type_embeddings.weight[0]
        return self.LayerNorm(x)


class Stack(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.layer = nn.ModuleList(Layer(c) for _ in range(c.num_hidden_layers))


class Student(nn.Module):
    """ids, mask [batch, tokens] -> normalised sentence vectors [batch, hidden_size]."""

    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.embeddings = Embeddings(shape)
        # like ElectraModel: no projection where the widths are equal, so that a plain BERT loads here too
        if shape.embedding_size != shape.hidden_size:
            self.embeddings_project = nn.Linear(shape.embedding_size, shape.hidden_size)
        self.encoder = Stack(shape)

    def forward(self, ids, mask, mode="off"):
        x = self.embeddings(ids, mode)
        if hasattr(self, "embeddings_project"):
            x = linear(x, [self.embeddings_project], mode)
        allowed = mask[:, None, None, :].bool()
        for layer in self.encoder.layer:
            x = layer(x, allowed, mode)
        if self.shape.pooling == "cls":
            v = x[:, 0]
        else:
            m = mask[..., None].to(x.dtype)
            v = (x * m).sum(1) / m.sum(1)
        return F.normalize(v.float(), dim=-1)


def encode(model, tokenizer, texts, mode="int8", batch=64, max_tokens=128):
    """Vectors of `texts` as a float32 numpy array, in their order; batches hold texts of like length. Longer texts are
    cut to `max_tokens`, [SEP] kept, or to the positions that the model has."""
    max_tokens = min(max_tokens, model.shape.max_position_embeddings)
    ids = [e.ids for e in tokenizer.encode_batch(list(texts))]
    ids = [i if len(i) <= max_tokens else i[: max_tokens - 1] + i[-1:] for i in ids]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    out = torch.zeros(len(ids), model.shape.hidden_size)
    model.eval()
    with torch.inference_mode():
        for at in range(0, len(order), batch):
            part = order[at : at + batch]
            out[part] = model(*pad([ids[i] for i in part]), mode)
    return out.numpy()


def pad(rows):
    """(ids, mask) as tensors, padded with 0 on the right to the longest row."""
    width = max(map(len, rows))
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.zeros(len(rows), width, dtype=torch.long)
    for j, r in enumerate(rows):
        ids[j, : len(r)] = torch.tensor(r)
        mask[j, : len(r)] = 1
    return ids, mask
