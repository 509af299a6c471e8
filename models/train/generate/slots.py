"""What a wish is about: one draw gives every slot a value that can be said in both languages."""

from __future__ import annotations

import random

from .grammar import Domain, Phrase
from .template import expand

COLOURS = [
    ("黑色|黑的", "black"),
    ("白色|白的", "white"),
    ("红色", "red"),
    ("蓝色|藏蓝", "blue|navy"),
    ("灰色", "grey|gray"),
    ("绿色", "green"),
    ("粉色|粉红", "pink"),
    ("米色|米白", "beige"),
    ("紫色", "purple"),
    ("黄色", "yellow"),
]
SIZES = [
    ("S", "S|small"),
    ("M", "M|medium"),
    ("L", "L|large"),
    ("XL", "XL"),
    ("38", "38"),
    ("42", "42"),
    ("40", "40"),
    ("加大", "extra large"),
    ("165", "165"),
    ("36", "36"),
]
CITIES = [
    ("北京", "Beijing"),
    ("上海", "Shanghai"),
    ("深圳", "Shenzhen"),
    ("广州", "Guangzhou"),
    ("成都", "Chengdu"),
    ("杭州", "Hangzhou"),
    ("新疆", "Xinjiang"),
    ("西藏|拉萨", "Tibet|Lhasa"),
    ("香港", "Hong Kong"),
    ("台湾|台北", "Taiwan|Taipei"),
    ("内蒙古", "Inner Mongolia"),
    ("海南|海口", "Hainan|Haikou"),
    ("武汉", "Wuhan"),
    ("西安", "Xi'an"),
    ("新加坡", "Singapore"),
    ("日本", "Japan"),
    ("美国", "the US|the States"),
    ("澳大利亚|澳洲", "Australia"),
    ("沈阳", "Shenyang"),
    ("昆明", "Kunming"),
]
CARRIERS = [
    ("顺丰", "SF Express|SF"),
    ("京东快递|京东", "JD Logistics|JD"),
    ("中通", "ZTO"),
    ("圆通", "YTO"),
    ("邮政|EMS", "China Post|EMS"),
    ("德邦", "Deppon"),
    ("韵达", "Yunda"),
    ("DHL", "DHL"),
]
PAYS = [
    ("微信|微信支付", "WeChat Pay|WeChat"),
    ("支付宝", "Alipay"),
    ("信用卡", "a credit card|credit card"),
    ("云闪付", "UnionPay QuickPass"),
    ("花呗", "Huabei"),
    ("Apple Pay|苹果支付", "Apple Pay"),
    ("银行卡|储蓄卡", "a bank card|a debit card"),
    ("PayPal", "PayPal"),
    ("Visa卡|visa", "Visa"),
]
AGOS = [
    ("昨天", "yesterday"),
    ("前天", "the day before yesterday"),
    ("上周", "last week"),
    ("三天前", "three days ago|3 days ago"),
    ("周一", "on Monday"),
    ("半个月前", "two weeks ago"),
    ("上周五", "last Friday"),
    ("今天早上|今早", "this morning"),
]
DATES = [
    ("明天", "tomorrow"),
    ("后天", "the day after tomorrow"),
    ("周六", "Saturday"),
    ("周日", "Sunday"),
    ("下周一", "next Monday"),
    ("国庆", "the National Day holiday"),
    ("今晚", "tonight"),
    ("{m}月{d}号", "{mon} {d}"),
    ("这周末", "this weekend"),
]
MONTHS = "January February March April May June July August September October November December".split()
NUMBERS = [
    ("两", "two"),
    ("三", "three"),
    ("四", "four"),
    ("五", "five"),
    ("六", "six"),
    ("七", "seven"),
    ("八", "eight"),
    ("九", "nine"),
    ("十", "ten"),
]
# Slots that are named in both languages but don't depend on the trade.
LISTS = {"colour": COLOURS, "size": SIZES, "city": CITIES, "carrier": CARRIERS, "pay": PAYS, "ago": AGOS}


def _order(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.5:
        return str(rng.randrange(10 ** rng.choice((7, 9, 11)), 10**12))
    if kind < 0.8:
        return rng.choice(("SF", "YT", "JD", "ZTO", "SO", "DD", "A", "KF")) + str(rng.randrange(10**6, 10**10))
    return str(rng.randrange(1000, 999999))


class Situation:
    """Values of all slots for one meaning. `say` may word them differently each time."""

    def __init__(self, domain: Domain, rng: random.Random):
        self.rng = rng
        self.shared = [rng.random() for _ in range(4)]
        self.item: Phrase | None = rng.choice(domain.items) if domain.items else None
        self.action: Phrase | None = rng.choice(domain.actions) if domain.actions else None
        self.term: Phrase | None = rng.choice(domain.terms) if domain.terms else None
        self.values = {name: rng.choice(options) for name, options in LISTS.items()}
        n = rng.randrange(len(NUMBERS))
        unit = rng.choice((("天", "days"), ("天", "days"), ("个星期|周", "weeks")))
        digit = str(n + 2)
        self.values["days"] = (f"({NUMBERS[n][0]}|{digit})({unit[0]})", f"({NUMBERS[n][1]}|{digit}) {unit[1]}")
        q = rng.randrange(3)
        self.values["qty"] = (f"({NUMBERS[q][0]}|{q + 2})(个|件)", f"({NUMBERS[q][1]}|{q + 2})")
        amount = rng.choice(
            (
                str(rng.randrange(5, 100)),
                str(rng.randrange(10, 500) * 10),
                f"{rng.randrange(1, 900)}.{rng.randrange(10, 99)}",
            )
        )
        self.values["amount"] = (f"{amount}(元|块|块钱)", f"({amount} yuan|¥{amount}|{amount} RMB)")
        order = _order(rng)
        self.values["order"] = (order, order)
        month, day = rng.randrange(12), rng.randrange(1, 29)
        zh, en = rng.choice(DATES)
        self.values["date"] = (
            zh.replace("{m}", str(month + 1)).replace("{d}", str(day)),
            en.replace("{mon}", MONTHS[month]).replace("{d}", str(day)),
        )

    def has(self, names: frozenset[str]) -> bool:
        """Whether every named slot has a value here."""
        return not (
            ("item" in names and not self.item)
            or ("action" in names and not self.action)
            or ("term" in names and not self.term)
        )

    def say(self, name: str, lang: str) -> str:
        """One wording of a slot. `name` must have a value (see `has`)."""
        if name == "cl":
            return self.item.classifier if self.item else "个"
        phrase = {"item": self.item, "action": self.action, "term": self.term}.get(name)
        zh, en = (phrase.zh, phrase.en) if phrase else self.values[name]
        return expand(zh if lang == "zh" else en, self.rng, lambda inner: inner)
