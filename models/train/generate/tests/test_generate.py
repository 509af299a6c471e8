"""Black-box tests of the generator: `cd models/train && python3 -m unittest generate.tests.test_generate`."""

import collections
import itertools
import json
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from ..compose import fits, stream
from ..domains import DOMAINS
from ..faq import FAQ
from ..grammar import read_meanings
from ..meanings import MEANINGS
from ..mend import agree, articles, particle
from ..offtopic import TEMPLATES
from ..tables.traditional import PAIRS, to_traditional
from ..template import TemplateError, expand, shared_of, slots_of


def take(count: int, seed: int = 1) -> list[dict]:
    return list(itertools.islice(stream(seed), count))


class Grammar(unittest.TestCase):
    def test_every_meaning_is_said_in_both_languages_and_somewhere(self):
        for meaning in MEANINGS + FAQ + TEMPLATES:
            self.assertTrue(meaning.zh and meaning.en, meaning.name)
            self.assertTrue(any(fits(meaning, domain) for domain in DOMAINS), meaning.name)

    def test_names_are_unique(self):
        names = [meaning.name for meaning in MEANINGS + FAQ + TEMPLATES]
        self.assertEqual([name for name, n in collections.Counter(names).items() if n > 1], [])

    def test_lines_that_are_paired_take_the_same_choices(self):
        for meaning in MEANINGS + FAQ:
            if meaning.aligned:
                self.assertTrue(meaning.twins(), meaning.name)
                for zh, en in meaning.twins():
                    self.assertEqual(shared_of(zh), shared_of(en), f"{meaning.name}: {zh} / {en}")
            else:
                self.assertFalse(any(shared_of(line) for line in meaning.zh + meaning.en), meaning.name)

    def test_slots_are_known(self):
        known = {
            "item",
            "cl",
            "action",
            "term",
            "order",
            "days",
            "qty",
            "amount",
            "date",
            "city",
            "carrier",
            "pay",
            "ago",
            "colour",
            "size",
        }
        for meaning in MEANINGS + FAQ + TEMPLATES:
            for line in meaning.zh + meaning.en:
                self.assertLessEqual(slots_of(line), known, line)

    def test_a_broken_line_is_named(self):
        for bad in ("@ x\n: (a|b", "@ x\n: a)", "@ x\n: {item", "@ x\nno mark"):
            with self.assertRaises(TemplateError):
                read_meanings(bad)

    def test_shared_choices_follow_the_number_and_free_ones_do_not(self):
        rng = random.Random(1)
        said = {expand("[a|b](c|d)", rng, str, [0.9]) for _ in range(50)}
        self.assertEqual(said, {"bc", "bd"})


class Mending(unittest.TestCase):
    def test_english(self):
        self.assertEqual(agree("is the jeans in stock", "jeans"), "are the jeans in stock")
        self.assertEqual(agree("can I get a rice", "rice"), "can I get some rice")
        self.assertEqual(articles("a item and an jacket"), "an item and a jacket")

    def test_chinese_particles(self):
        self.assertEqual(particle("帮我取消订单吗"), "帮我取消订单")
        self.assertEqual(particle("可以取消订单"), "可以取消订单吗")
        self.assertEqual(particle("能不能取消订单吗"), "能不能取消订单")

    def test_traditional(self):
        self.assertEqual(to_traditional("我的快递怎么还没发货，头发"), "我的快遞怎麼還沒發貨，頭髮")
        self.assertTrue(all(len(pair) == 2 for pair in PAIRS.split()))


class Stream(unittest.TestCase):
    def test_lines_are_distinct_clean_and_in_both_languages(self):
        records = take(20_000)
        texts = [record["text"] for record in records]
        self.assertEqual(len(set(texts)), len(texts))
        for text in texts:
            self.assertFalse(set("{}[]|") & set(text), text)
            self.assertEqual(text, " ".join(text.split()))
        share = sum(record["lang"] == "zh" for record in records) / len(records)
        self.assertTrue(0.5 < share < 0.7, share)

    def test_the_seed_decides(self):
        self.assertEqual(take(500, 7), take(500, 7))
        self.assertNotEqual(take(500, 7), take(500, 8))

    def test_members_of_a_pair_agree(self):
        groups = collections.defaultdict(list)
        for record in take(20_000):
            if "pair" in record:
                groups[record["pair"]].append(record)
        self.assertTrue(all(len(group) > 1 for group in groups.values()))
        self.assertTrue(any({"zh", "en"} == {record["lang"] for record in group} for group in groups.values()))
        for group in groups.values():
            for key in ("intent", "domain", "also"):
                self.assertEqual(len({record.get(key) for record in group}), 1, group)

    def test_every_intent_appears(self):
        wanted = {meaning.intent for meaning in MEANINGS + FAQ} | {"out_of_scope"}
        self.assertEqual(wanted - {record["intent"] for record in take(30_000)}, set())


class Program(unittest.TestCase):
    def test_it_writes_the_lines_asked_for(self):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "lines.jsonl"
            command = [sys.executable, "-m", "generate", "--count", "1234", "--seed", "5", "--out", str(out)]
            subprocess.run(command, check=True, cwd=Path(__file__).resolve().parents[2])
            records = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        self.assertEqual(len(records), 1234)
        self.assertLessEqual({"text", "lang", "intent", "domain"}, set(records[0]))


if __name__ == "__main__":
    unittest.main()
