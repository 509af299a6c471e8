"""Templates: `(a|b|)` is a choice (nested ones allowed), `{name}` is a slot. Knows nothing of language."""

from __future__ import annotations

import functools
import random
from typing import Callable, Union

Node = Union[str, tuple]


class TemplateError(ValueError):
    """A line of grammar that can't be read: says which line and where."""


def _parse(text: str, at: int, depth: int) -> tuple[list[list[Node]], int]:
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
        if char == "(":
            flush()
            inner, at = _parse(text, at + 1, depth + 1)
            branches[-1].append(("choice", inner))
        elif char == ")":
            if depth == 0:
                raise TemplateError(f"unexpected ')' at {at} in {text!r}")
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
        raise TemplateError(f"'(' without ')' in {text!r}")
    flush()
    return branches, at


@functools.lru_cache(maxsize=None)
def parse(text: str) -> tuple:
    """The syntax tree of a template. Raises TemplateError."""
    return ("choice", _parse(text, 0, 0)[0])


def expand(text: str, rng: random.Random, slot: Callable[[str], str]) -> str:
    """One realisation: choices are drawn evenly, slots are asked for by name."""

    def walk(node: Node) -> str:
        if isinstance(node, str):
            return node
        if node[0] == "slot":
            return slot(node[1])
        return "".join(walk(part) for part in rng.choice(node[1]))

    return walk(parse(text))


@functools.lru_cache(maxsize=None)
def slots_of(text: str) -> frozenset[str]:
    """Names of the slots that a template mentions anywhere."""

    def walk(node: Node) -> set[str]:
        if isinstance(node, str):
            return set()
        if node[0] == "slot":
            return {node[1]}
        return {name for branch in node[1] for part in branch for name in walk(part)}

    return frozenset(walk(parse(text)))
