"""Reads the grammar blocks of `meanings/` and `domains/` into plain records. The only place that knows their notation."""

from __future__ import annotations

from dataclasses import dataclass, field

from .template import TemplateError, slots_of


@dataclass
class Meaning:
    """One meaning with its wordings. All wordings of a meaning must say the same thing.

    A meaning tagged `aligned` is a family instead: its first lines in both languages say the same thing, its second
    lines another, and so on; only those are paired.
    """

    name: str
    tags: frozenset[str]
    zh: list[str] = field(default_factory=list)
    en: list[str] = field(default_factory=list)

    @property
    def intent(self) -> str:
        """The part before the dot: `return.worn` belongs to the intent `return`."""
        return self.name.split(".")[0]

    def lines(self, lang: str) -> list[str]:
        return self.zh if lang == "zh" else self.en

    @property
    def aligned(self) -> bool:
        return "aligned" in self.tags

    def twins(self) -> list[tuple[str, str]]:
        """Chinese and English lines of an aligned meaning that go together."""
        return [(zh, en) for zh, en in zip(self.zh, self.en) if slots_of(zh) - {"cl"} == slots_of(en) - {"cl"}]

    def by_slots(self, lang: str) -> dict[frozenset[str], list[str]]:
        """Wordings grouped by the slots they mention: members of a pair come from equal groups."""
        groups: dict[frozenset[str], list[str]] = {}
        for line in self.lines(lang):
            groups.setdefault(slots_of(line) - {"cl"}, []).append(line)
        return groups


def read_meanings(block: str) -> list[Meaning]:
    """`@ name tags…` opens a meaning, `:` is a Chinese wording, `>` an English one, `#` a remark."""
    meanings: list[Meaning] = []
    for number, line in enumerate(block.splitlines(), 1):
        mark, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        if not mark or mark == "#":
            continue
        if mark == "@":
            name, *tags = rest.split()
            meanings.append(Meaning(name, frozenset(tags)))
        elif mark in (":", ">") and meanings:
            slots_of(rest)
            (meanings[-1].zh if mark == ":" else meanings[-1].en).append(rest)
        else:
            raise TemplateError(f"line {number} is neither meaning nor wording: {line!r}")
    return meanings


@dataclass(frozen=True)
class Phrase:
    """The same thing in both languages; `classifier` is the Chinese measure word of an item."""

    zh: str
    en: str
    classifier: str = "个"


@dataclass(frozen=True)
class Domain:
    """A trade: what it sells (`items`), what people do there (`actions`), its terms."""

    name: str
    tags: frozenset[str]
    items: tuple[Phrase, ...] = ()
    actions: tuple[Phrase, ...] = ()
    terms: tuple[Phrase, ...] = ()


def read_domains(block: str) -> list[Domain]:
    """`@ name tags…` opens a domain; `- 件 羽绒服 = down jacket` an item; `! …` an action; `? …` a term."""
    domains: list[tuple[str, frozenset[str], dict[str, list[Phrase]]]] = []
    for number, line in enumerate(block.splitlines(), 1):
        mark, _, rest = line.strip().partition(" ")
        if not mark or mark == "#":
            continue
        if mark == "@":
            name, *tags = rest.split()
            domains.append((name, frozenset(tags), {"-": [], "!": [], "?": []}))
            continue
        zh, equals, en = (part.strip() for part in rest.partition(" = "))
        if mark not in ("-", "!", "?") or not domains or not equals:
            raise TemplateError(f"line {number} is no domain line: {line!r}")
        if mark == "-":
            classifier, _, zh = zh.partition(" ")
            domains[-1][2]["-"].append(Phrase(zh, en, classifier))
        else:
            domains[-1][2][mark].append(Phrase(zh, en))
    return [Domain(n, t, tuple(p["-"]), tuple(p["!"]), tuple(p["?"])) for n, t, p in domains]
