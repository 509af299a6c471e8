"""Trains the student on the teachers' similarities, with int8 rounding in the loop.

  python distil.py CORPUS.jsonl START.pt OUT.pt --work DIR --setting cpu [--steps N]

Writes OUT.pt every few minutes and at the end, by renaming, so that a killed run (kill -9 too) starts again from it with
the same command and ends in the same weights. The learning rate is constant after a short warm-up and falls to zero over
the last share of the steps (`decay`): while it is constant, `--steps` may be changed, and the corpus too: the run then goes
on over the new lines, with an empty queue.
"""

import argparse
import os
import signal
import time
from pathlib import Path

import losses
import numpy as np
import torch
from dataset import Lines, read
from fetch import Paths
from settings import setting
from student import Shape, Student, pad
from teachers import TEACHERS, Cache
from tokenizers import Tokenizer
from tqdm import tqdm


def rate(step, s):
    """Share of the learning rate at `step`: warm-up, constant, then linearly to zero."""
    start = s["steps"] * (1 - s["decay"])
    fall = 1.0 if step < start else (s["steps"] - step) / max(1.0, s["steps"] - start)
    return min(1.0, (step + 1) / max(1, s["warmup"])) * fall


def groups(model, s):
    """Optimizer groups: the word table learns faster; biases and LayerNorm do not decay."""
    table, decay, plain = [], [], []
    for name, p in model.named_parameters():
        (table if "word_embeddings" in name else plain if p.dim() < 2 else decay).append(p)
    return [
        {"params": table, "base": s["lr_table"], "weight_decay": 0.0},
        {"params": decay, "base": s["lr"], "weight_decay": s["weight_decay"]},
        {"params": plain, "base": s["lr"], "weight_decay": 0.0},
    ]


class Queue:
    """The last sentences' student vectors and row numbers, oldest overwritten."""

    def __init__(self, size, dim, device):
        self.vectors = torch.zeros(size, dim, device=device)
        self.rows = torch.full((size,), -1, dtype=torch.long)
        self.at = 0

    def valid(self):
        ok = self.rows >= 0
        return self.vectors[ok.to(self.vectors.device)], self.rows[ok]

    def push(self, vectors, rows):
        if not len(self.rows):
            return
        n = min(len(rows), len(self.rows))
        where = (self.at + torch.arange(n)) % len(self.rows)
        self.vectors[where.to(self.vectors.device)] = vectors[:n].float()
        self.rows[where] = rows[:n]
        self.at = int((self.at + n) % len(self.rows))

    def state(self):
        return {"vectors": self.vectors.cpu(), "rows": self.rows, "at": self.at}

    def load(self, state):
        self.vectors.copy_(state["vectors"])
        self.rows.copy_(state["rows"])
        self.at = state["at"]


class Run:
    """One training run: model, optimizer, queue, position."""

    def __init__(self, lines, start, s, device="cpu"):
        self.lines, self.s, self.device = lines, s, device
        self.tokenizer = start["tokenizer"]
        self.shape = {**start["shape"], "pooling": s["pooling"]}
        self.model = Student(Shape(**self.shape)).to(device)
        self.model.load_state_dict(start["model"])
        self.optimizer = torch.optim.AdamW(groups(self.model, s), lr=0.0, betas=(0.9, 0.98), fused=True)
        self.queue = Queue(s["queue"], self.model.shape.hidden_size, device)
        self.step, self.epoch, self.planned = 0, -1, []
        if "optimizer" in start:
            self.optimizer.load_state_dict(start["optimizer"])
            if start.get("corpus") == lines.fingerprint:  # its row numbers mean nothing in another corpus
                self.queue.load(start["queue"])
            self.step = start["step"]
        self.per_epoch = len(lines.plan(s["seed"], 0, s["batch"]))

    def batch(self, step):
        """Row numbers of the batch at `step`."""
        epoch, at = divmod(step, self.per_epoch)
        if epoch != self.epoch:
            self.epoch, self.planned = epoch, self.lines.plan(self.s["seed"], epoch, self.s["batch"])
        return self.planned[at % len(self.planned)]

    def facts(self, rows):
        lines, d = self.lines, self.device
        rows = np.asarray(rows)
        return {
            "row": torch.as_tensor(rows, device=d),
            "zh": torch.as_tensor(lines.zh[rows], device=d),
            "pair": torch.as_tensor(lines.pair[rows], device=d),
            "intent": torch.as_tensor(lines.intent[rows], device=d),
            "family": torch.as_tensor(lines.family[rows], device=d),
            "own": torch.as_tensor(lines.own[rows].astype(np.float32), device=d),
            "shared": torch.as_tensor(lines.shared[rows].astype(np.float32), device=d),
        }

    def mode(self):
        return "fake" if self.step >= self.s["fake_from"] * self.s["steps"] else "off"

    def advance(self):
        """One step; returns the parts of the loss."""
        rows = self.batch(self.step)
        ids, mask = pad([self.lines.ids[i] for i in rows])
        self.model.train()
        with torch.autocast(self.device, torch.bfloat16, enabled=self.s["bf16"] and self.mode() == "off"):
            e = self.model(ids.to(self.device), mask.to(self.device), self.mode())
        earlier, their_rows = self.queue.valid()
        bank = self.facts(np.concatenate([rows, their_rows.numpy()]))
        batch = {k: v[: len(rows)] for k, v in bank.items()}
        loss, parts = losses.total(e, batch, bank, earlier, self.s)
        for g in self.optimizer.param_groups:
            g["lr"] = g["base"] * rate(self.step, self.s)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimizer.step()
        self.queue.push(e.detach(), torch.as_tensor(rows))
        self.step += 1
        return parts

    def save(self, path):
        """Writes the checkpoint beside `path` and renames it into place."""
        state = {
            "shape": self.shape,
            "tokenizer": self.tokenizer,
            "model": self.model.state_dict(),
            "step": self.step,
            "corpus": self.lines.fingerprint,
            "optimizer": self.optimizer.state_dict(),
            "queue": self.queue.state(),
        }
        part = Path(f"{path}.part")
        with open(part, "wb") as f:
            torch.save(state, f)
            f.flush()
            os.fsync(f.fileno())
        os.replace(part, path)


def train(run, out, progress=True):
    """Runs to the last step or until SIGTERM, with a progress bar and checkpoints; returns the mean loss over the last steps."""
    s = run.s
    bar = tqdm(total=s["steps"], initial=run.step, unit="step", mininterval=10, disable=not progress)
    mean, saved = {}, time.monotonic()
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    while run.step < s["steps"] and not stop:
        for k, v in run.advance().items():
            mean[k] = v if k not in mean else 0.98 * mean[k] + 0.02 * v
        bar.update()
        if run.step % 50 == 0:
            bar.set_postfix({"mode": run.mode(), **{k: f"{v:.3f}" for k, v in mean.items()}})
        if time.monotonic() - saved >= s["checkpoint_seconds"]:
            run.save(out)
            saved = time.monotonic()
    bar.close()
    run.save(out)
    return sum(mean.values())


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("corpus")
    p.add_argument("start", help="checkpoint of init_checkpoint.py")
    p.add_argument("out", help="checkpoint to write; when it exists, the run goes on from it")
    p.add_argument("--work", required=True)
    p.add_argument("--setting", default="cpu")
    p.add_argument("--steps", type=int, help="instead of the setting's")
    p.add_argument("--device", default="cpu")
    a = p.parse_args()
    s = setting(a.setting)
    if a.steps:
        s["steps"] = a.steps
    torch.manual_seed(s["seed"])
    torch.set_num_threads(s["threads"])
    start = torch.load(a.out if os.path.exists(a.out) else a.start, map_location=a.device, weights_only=True)
    vectors = Paths(a.work).vectors
    caches = {n: Cache(vectors, n, t.dim) for n, t in TEACHERS.items()}
    rows = read(a.corpus)
    lines = Lines(
        rows, Tokenizer.from_str(start["tokenizer"]), lambda n, t: caches[n].get(t), s["max_tokens"], s["own_share"]
    )
    run = Run(lines, start, s, a.device)
    print(f"{len(lines):,} lines, {run.per_epoch:,} steps a pass, from step {run.step} to {s['steps']}", flush=True)
    print(f"loss {train(run, a.out):.4f}")


if __name__ == "__main__":
    main()
