"""What the student is asked for: the teachers' similarities, pairs side by side, lines of one intent near each other.

All functions compare a batch (rows) with a bank (columns: the batch itself, then earlier sentences). Similarities are
cosines. Entries that must not count are masked out.
"""

import torch

NEVER = -1e4


def agree(student, teacher, mask, tau, mse):
    """KL between the softmax rows of two similarity matrices plus `mse` times their squared error, where `mask`."""
    rows = mask.any(1)
    if not rows.any():
        return student.sum() * 0
    s, t, m = student[rows], teacher[rows], mask[rows]
    log_s = torch.log_softmax((s / tau).masked_fill(~m, NEVER), 1)
    log_t = torch.log_softmax((t / tau).masked_fill(~m, NEVER), 1)
    kl = (log_t.exp() * (log_t - log_s)).sum(1).mean()
    error = ((s - t).square() * m).sum() / m.sum()
    return kl + mse * error


def nearest(student, positive, candidates, tau):
    """-log of the share of the softmax over `candidates` that falls on `positive`, averaged over rows that have both.

    One good neighbour is enough, so groups need not collapse into a point.
    """
    rows = positive.any(1) & (candidates & ~positive).any(1)
    if not rows.any():
        return student.sum() * 0
    s, p, c = student[rows] / tau, positive[rows], candidates[rows] | positive[rows]
    return (torch.logsumexp(s.masked_fill(~c, NEVER), 1) - torch.logsumexp(s.masked_fill(~p, NEVER), 1)).mean()


def total(e, batch, bank, queue, s):
    """All terms for the batch's vectors `e`; `batch` and `bank` are dicts of tensors (zh, shared, own, intent, family, pair, row),
    `queue` the earlier vectors, `s` the setting. Returns (loss, {name: value})."""
    student = e @ torch.cat([e, queue]).T
    same = batch["zh"][:, None] == bank["zh"][None]
    other = batch["row"][:, None] != bank["row"][None]
    own = batch["own"] @ bank["own"].T
    shared = batch["shared"] @ bank["shared"].T
    parts = {"own": agree(student, own, same & other, s["tau"], s["mse"])}
    if s["cross"]:
        parts["cross"] = s["cross"] * agree(student, shared, ~same, s["tau"], s["mse"])
    if s["info_nce"]:
        b = batch["pair"][:, None]
        paired = (b == bank["pair"][None]) & (b >= 0) & other
        far = torch.where(same, own, shared) < s["alike"]  # what the teachers find alike is no counter-example
        parts["pair"] = s["info_nce"] * nearest(student, paired, far & other, s["tau"])
    if s["intent"]:
        b, f = batch["intent"][:, None], batch["family"][:, None]
        alike = (b == bank["intent"][None]) & (b >= 0)
        family = (f == bank["family"][None]) & (f >= 0)  # wishes of two sets may be the same under two names
        parts["intent"] = s["intent"] * nearest(student, alike & other, family & other, s["tau"])
    return sum(parts.values()), {k: float(v.detach()) for k, v in parts.items()}
