"""Grammar that free choices break: English agreement and articles, Chinese question particles."""

from __future__ import annotations

import re

PLURAL = re.compile(r"(?<![su'])s$|(?:shoes|dresses|boots|glasses)$")
SINGULAR_S = ("gas", "bus", "tennis", "series")
MASS = {
    "rice",
    "salmon",
    "shrimp",
    "sunscreen",
    "foundation",
    "shampoo",
    "bubble tea",
    "milk tea",
    "fried chicken",
    "coffee",
    "sushi",
    "baby formula",
    "cat food",
    "dog food",
    "cat litter",
    "broadband",
    "cleaning",
    "takeaway",
    "food delivery",
    "milk",
    "toner",
    "steak",
}


def agree(text: str, item: str) -> str:
    """Mends articles and verbs around an item that is plural ("jeans") or has no plural ("rice")."""
    plural = bool(PLURAL.search(item)) and not item.endswith(SINGULAR_S)
    it = re.escape(item)
    if plural:
        swaps = {"is": "are", "was": "were", "does": "do", "this": "these", "that": "those"}
    else:
        swaps = {"are": "is", "were": "was", "do": "does"}
    text = re.sub(rf"\b({'|'.join(swaps)}) (?=(?:(?:the|my|this|these) )?{it}\b)", lambda m: swaps[m[1]] + " ", text)
    swaps.update({"has": "have"} if plural else {"have": "has"})
    text = re.sub(rf"(?<=\b{it} )({'|'.join(swaps)})\b(?! you)(?! I)", lambda m: swaps[m[1]], text)
    if plural or item in MASS:
        text = re.sub(rf"\b(?:a|an) (good )?(?={it}\b)", lambda m: m[1] or "some ", text)
    return text


def articles(text: str) -> str:
    """`a` before a vowel becomes `an` and back ("a hourly" is not in the grammar)."""
    text = re.sub(r"\b([Aa]) (?=[aeiou](?!ne\b|se|ni))", r"\1n ", text)
    return re.sub(r"\b([Aa])n (?=[bcdfgjklmnpqrstvwxyz])", r"\1 ", text)


_REQUEST = re.compile(r"帮我|我要|我想|想|麻烦|要换|要退|要订|请")
_MODAL = re.compile(r"能|可以|会|有|是|支持|行")
_ASKS = re.compile(
    r"怎|什么|多久|几|哪|多少|多大|谁|如何|咋|啥|吗|么|嘛|呢|能不|可不|有没|是不|还是|要不|不$|没$|？|\?"
)
_MAY = re.compile(r"(?<!不)(?<!才)(能|可以)(?!不|够|用不)")


def particle(text: str) -> str:
    """ "帮我取消订单吗" loses its particle (a request), "可以取消订单" gets one (a question)."""
    if text.endswith("吗") and re.search("能不能|可不可以|有没有|是不是", text):
        return text[:-1]
    if text.endswith("吗") and _REQUEST.search(text) and not _MODAL.search(text):
        return text[:-1]
    if _MAY.search(text) and not _ASKS.search(text) and "不能" not in text and text[-1] not in "，。！了的":
        return text + "吗"
    return text
