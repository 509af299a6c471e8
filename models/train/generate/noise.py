"""How a line gets typed: slips, pinyin, traditional characters, emoji, widths, short forms. Keeps the meaning readable."""

from __future__ import annotations

import random
import re

from .tables.slips import EMOJI_FOR, EN_SHORT, HOMOPHONES, MIXED, NEIGHBOURS, PINYIN
from .tables.traditional import to_traditional

FULL = {
    **{chr(c): chr(c + 0xFEE0) for c in range(0x30, 0x3A)},
    **{chr(c): chr(c + 0xFEE0) for c in range(0x41, 0x5B)},
    "?": "？",
    "!": "！",
    ",": "，",
}
HALF = {"，": ",", "。": ".", "？": "?", "！": "!", "：": ":", "；": ";"}
# Single characters are swapped rarely: a line full of them would be hard to read even for a person.
SINGLE_CHANCE = 0.15


def _swap(text: str, table: dict, rng: random.Random, times: int, spaced: bool = False) -> str:
    found = [word for word in table if word in text and (len(word) > 1 or rng.random() < SINGLE_CHANCE)]
    rng.shuffle(found)
    for word in found[:times]:
        new = table[word]
        new = rng.choice(new) if isinstance(new, list) else new
        if spaced and rng.random() < 0.5:
            new = f" {new} "
        text = text.replace(word, new, 1)
    return re.sub(r" {2,}", " ", text).strip()


def noise_zh(text: str, rng: random.Random) -> str:
    """One Chinese line as typed. About half of all lines stay clean."""
    draw = rng.random()
    if draw < 0.10:
        text = _swap(text, HOMOPHONES, rng, rng.choice((1, 1, 2)))
    elif draw < 0.16:
        text = _swap(text, PINYIN, rng, rng.choice((1, 1, 2)), spaced=True)
    elif draw < 0.22:
        text = to_traditional(text, regional=rng.random() < 0.4)
    elif draw < 0.27:
        text = _swap(text, MIXED, rng, rng.choice((1, 1, 2)), spaced=True)
    elif draw < 0.29:
        text = "".join(FULL.get(char, char) for char in text)
    elif draw < 0.31:
        words = [word for word in EMOJI_FOR if word in text]
        text = text + "".join(EMOJI_FOR[word] for word in words[:2])
    habit = rng.random()
    if habit < 0.12:
        text = "".join(HALF.get(char, char) for char in text)
    elif habit < 0.30:
        text = re.sub(r"[，。,]", " ", text).strip()
    elif habit < 0.36:
        text = re.sub(r"[？?！!。]+$", "", text)
    elif habit < 0.39:
        text = re.sub(r"([？?！!])", lambda match: match[1] * rng.choice((2, 3)), text)
    return text


def _keys(text: str, rng: random.Random) -> str:
    """One keyboard slip in a word of five letters or more."""
    words = [match for match in re.finditer(r"[a-z]{5,}", text)]
    if not words:
        return text
    word = rng.choice(words)
    at = rng.randrange(word.start() + 1, word.end() - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at] + text[at:]
    if kind == 2:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + rng.choice(NEIGHBOURS[text[at]]) + text[at + 1 :]


def noise_en(text: str, rng: random.Random) -> str:
    """One English line as typed. About half of all lines stay clean."""
    draw = rng.random()
    if draw < 0.14:
        for _ in range(rng.choice((1, 1, 2))):
            text = _keys(text, rng)
    elif draw < 0.24:
        found = [word for word in EN_SHORT if re.search(rf"\b{word}\b", text)]
        for word in rng.sample(found, min(len(found), rng.choice((1, 2)))):
            text = re.sub(rf"\b{word}\b", rng.choice(EN_SHORT[word]), text, count=1)
    elif draw < 0.34:
        text = text.replace("'", "")
    elif draw < 0.36:
        words = [word for word in EMOJI_FOR if word in text]
        text = text + "".join(" " + EMOJI_FOR[word] for word in words[:2])
    case = rng.random()
    if case < 0.40:
        text = text[:1].upper() + text[1:]
    elif case < 0.60:
        text = text.lower()
    elif case < 0.63:
        text = text.upper()
    if rng.random() < 0.15:
        text = re.sub(r"[?!.]+$", "", text)
    return text


def noise(text: str, lang: str, rng: random.Random) -> str:
    """Noise of the line's language."""
    return noise_zh(text, rng) if lang == "zh" else noise_en(text, rng)
