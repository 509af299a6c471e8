"""Draws meanings and writes them as records. Deterministic: the same seed gives the same stream."""

from __future__ import annotations

import random
from collections.abc import Iterator

from .domains import DOMAINS
from .faq import FAQ
from .grammar import Domain, Meaning
from .meanings import MEANINGS
from .mend import agree, articles, particle
from .noise import noise
from .offtopic import FREE, TEMPLATES
from .slots import Situation
from .style import dress, join
from .template import expand, slots_of

# Shares of the stream, by meaning.
OFF_TOPIC, QUESTION, SERVICE = 0.07, 0.30, 0.06
PAIRED = 0.45  # of the meanings that can be said twice
TWO_MEANINGS = 0.05
EXHAUSTED_AFTER = 200_000  # draws in a row without a new line
STYLE_TAGS = frozenset({"plain", "aligned"})  # say how to write a meaning, not where it fits
_SERVICE = next(meaning for meaning in MEANINGS if meaning.name == "service_request.want")
_COMMON = [meaning for meaning in MEANINGS if meaning is not _SERVICE]


def fits(meaning: Meaning, domain: Domain) -> bool:
    """Whether a meaning makes sense in a trade: every tag is there, no `-tag` is."""
    return all(tag.startswith("-") != (tag.lstrip("-") in domain.tags) for tag in meaning.tags - STYLE_TAGS)


_FITTING = {meaning.name: [domain for domain in DOMAINS if fits(meaning, domain)] for meaning in MEANINGS + FAQ}


def _wordings(meaning: Meaning, situation: Situation, lang: str) -> dict[frozenset[str], list[str]]:
    return {names: lines for names, lines in meaning.by_slots(lang).items() if situation.has(names)}


def _say(line: str, situation: Situation, lang: str) -> str:
    text = expand(line, situation.rng, lambda name: situation.say(name, lang), situation.shared)
    if lang == "en":
        if "{item}" in line and situation.item:
            for item in situation.item.en.split("|"):
                if item in text:
                    text = agree(text, item)
                    break
        return articles(text)
    return particle(text)


def _finish(text: str, meaning: Meaning, lang: str, rng: random.Random) -> str:
    return noise(dress(text, lang, rng, plain="plain" in meaning.tags), lang, rng)


def _languages(rng: random.Random, paired: bool) -> list[str]:
    """Which realisations one meaning gets."""
    if not paired:
        return [rng.choices(("zh", "en"), (0.6, 0.4))[0]]
    return rng.choices((["zh", "zh"], ["en", "en"], ["zh", "en"], ["zh", "zh", "en", "en"]), (0.3, 0.15, 0.35, 0.2))[0]


def _follow(meaning: Meaning, situation: Situation) -> dict[str, list[str]]:
    """Wordings of a second meaning that say the same in both languages and name nothing; empty when there are none."""
    if meaning.aligned:
        plain = [twin for twin in meaning.twins() if not slots_of(twin[0])]
        if not plain:
            return {}
        zh, en = situation.rng.choice(plain)
        return {"zh": [zh], "en": [en]}
    lines = {lang: _wordings(meaning, situation, lang).get(frozenset(), []) for lang in ("zh", "en")}
    return lines if all(lines.values()) else {}


def _records_of(meaning: Meaning, rng: random.Random) -> list[dict]:
    """All realisations of one drawn meaning; those of one call say the same."""
    domain = rng.choice(_FITTING[meaning.name])
    situation = Situation(domain, rng)
    languages = _languages(rng, rng.random() < PAIRED)
    options = {lang: _wordings(meaning, situation, lang) for lang in set(languages)}
    if meaning.aligned and len(languages) > 1:
        twins = [twin for twin in meaning.twins() if situation.has(slots_of(twin[0]))]
        if not twins:
            return []
        zh, en = rng.choice(twins)
        options = {"zh": {slots_of(zh) - {"cl"}: [zh]}, "en": {slots_of(en) - {"cl"}: [en]}}
    shared = sorted(set.intersection(*(set(groups) for groups in options.values())), key=sorted)
    if not shared:
        return []
    names = rng.choice(shared)
    second = rng.choice(_COMMON) if rng.random() < TWO_MEANINGS and "plain" not in meaning.tags else None
    if second and ("plain" in second.tags or domain not in _FITTING[second.name] or second.intent == meaning.intent):
        second = None
    follow = _follow(second, situation) if second else {}
    used: set[str] = set()
    records = []
    for lang in languages:
        lines = options[lang][names]
        # Two of one language prefer two different lines of grammar.
        line = rng.choice([line for line in lines if line not in used] or lines)
        used.add(line)
        text = _say(line, situation, lang)
        record = {"text": "", "lang": lang, "intent": meaning.intent, "domain": domain.name}
        if follow:
            text = join(text, _say(rng.choice(follow[lang]), situation, lang), lang, rng)
            record["also"] = second.intent
        record["text"] = _finish(text, meaning, lang, rng)
        records.append(record)
    return records


def _off_topic(rng: random.Random) -> list[dict]:
    lang = rng.choices(("zh", "en"), (0.6, 0.4))[0]
    if rng.random() < 0.15:
        text = rng.choice(FREE[lang])(rng)
    else:
        meaning = rng.choice(TEMPLATES)
        text = noise(expand(rng.choice(meaning.lines(lang)), rng, lambda name: name), lang, rng)
    return [{"text": text, "lang": lang, "intent": "out_of_scope", "domain": "none"}]


def stream(seed: int) -> Iterator[dict]:
    """Distinct records until the grammar has no more to say (millions of lines)."""
    rng = random.Random(seed)
    seen: set[str] = set()
    group = idle = 0
    while idle < EXHAUSTED_AFTER:
        draw = rng.random()
        if draw < OFF_TOPIC:
            records = _off_topic(rng)
        elif draw < OFF_TOPIC + QUESTION:
            records = _records_of(rng.choice(FAQ), rng)
        elif draw < OFF_TOPIC + QUESTION + SERVICE:
            records = _records_of(_SERVICE, rng)
        else:
            records = _records_of(rng.choice(_COMMON), rng)
        fresh = []
        for record in records:
            text = record["text"] = " ".join(record["text"].split())
            if text and text not in seen:
                seen.add(text)
                fresh.append(record)
        idle = 0 if fresh else idle + 1
        if len(fresh) > 1:
            group += 1
            for record in fresh:
                record["pair"] = group
        yield from fresh
