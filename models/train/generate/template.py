"""Templates: `(a|b|)` is a free choice, `[a|b]` one that all wordings of a meaning take alike, `{name}` a slot.

Brackets nest. The k-th `[…]` of a line goes with the k-th of every other wording: "周[六|日]营业吗" and
"open on [Saturday|Sunday]?" then name the same day. Knows nothing of language.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Sequence

Node = str | tuple


class TemplateError(ValueError):
    """A line of grammar that can't be read: says which line and where."""


def _parse(text: str, at: int, depth: int, count: list[int]) -> tuple[list[list[Node]], int]:
    """Reads alternatives until the closing bracket (or the end at depth 0)."""
    branches: list[list[Node]] = [[]]
    literal = ""

    def flush() -> None:
        nonlocal literal
        if literal:
            branches[-1].append(literal)
            literal = ""

    while at < len(text):
        char = text[at]
        if char in "([":
            flush()
            number = count[0]
            count[0] += char == "["
            inner, at = _parse(text, at + 1, depth + 1, count)
            branches[-1].append(("choice", inner) if char == "(" else ("shared", inner, number))
        elif char in ")]":
            if depth == 0:
                raise TemplateError(f"unexpected bracket at {at} in {text!r}")
            flush()
            return branches, at
        elif char == "|":
            flush()
            branches.append([])
        elif char == "{":
            flush()
            end = text.find("}", at)
            if end < 0:
                raise TemplateError(f"'{{' without '}}' at {at} in {text!r}")
            branches[-1].append(("slot", text[at + 1 : end]))
            at = end
        else:
            literal += char
        at += 1
    if depth:
        raise TemplateError(f"a bracket is not closed in {text!r}")
    flush()
    return branches, at


@functools.cache
def parse(text: str) -> tuple:
    """The syntax tree of a template. Raises TemplateError."""
    return ("choice", _parse(text, 0, 0, [0])[0])


def expand(text: str, rng: random.Random, slot: Callable[[str], str], shared: Sequence[float] = ()) -> str:
    """One realisation: choices are drawn evenly, slots are asked for by name.

    `shared` holds a number from 0 to below 1 for each `[…]`; without it they are free choices too.
    """

    def walk(node: Node) -> str:
        if isinstance(node, str):
            return node
        if node[0] == "slot":
            return slot(node[1])
        if node[0] == "shared" and node[2] < len(shared):
            branch = node[1][int(shared[node[2]] * len(node[1]))]
        else:
            branch = rng.choice(node[1])
        return "".join(walk(part) for part in branch)

    return walk(parse(text))


@functools.cache
def shared_of(text: str) -> tuple[int, ...]:
    """Sizes of the `[…]` of a template, in order. Wordings that go together have equal ones."""

    def walk(node: Node) -> list[tuple[int, int]]:
        if isinstance(node, str) or node[0] == "slot":
            return []
        inner = [found for branch in node[1] for part in branch for found in walk(part)]
        return inner + ([(node[2], len(node[1]))] if node[0] == "shared" else [])

    return tuple(size for _, size in sorted(walk(parse(text))))


@functools.cache
def slots_of(text: str) -> frozenset[str]:
    """Names of the slots that a template mentions anywhere."""

    def walk(node: Node) -> set[str]:
        if isinstance(node, str):
            return set()
        if node[0] == "slot":
            return {node[1]}
        return {name for branch in node[1] for part in branch for name in walk(part)}

    return frozenset(walk(parse(text)))
