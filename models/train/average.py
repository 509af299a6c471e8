"""Averages the weights of checkpoints of one ancestor: what one forgot of the other's text comes back.

  python average.py OUT.pt ONE.pt OTHER.pt ...

Only runs that share their first steps lie in one basin; of unrelated runs the mean is useless.
"""

import argparse

import torch


def mean(checkpoints):
    """A checkpoint with the mean of the weights, without an optimizer's state."""
    first = checkpoints[0]
    if any(c["shape"] != first["shape"] or c["tokenizer"] != first["tokenizer"] for c in checkpoints):
        raise SystemExit("average: the checkpoints differ in shape or vocabulary")
    model = {k: torch.stack([c["model"][k] for c in checkpoints]).mean(0) for k in first["model"]}
    return {"shape": first["shape"], "tokenizer": first["tokenizer"], "model": model}


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("out")
    p.add_argument("checkpoints", nargs="+")
    a = p.parse_args()
    torch.save(mean([torch.load(c, map_location="cpu", weights_only=True) for c in a.checkpoints]), a.out)


if __name__ == "__main__":
    main()
