"""How customers dress a meaning: openings, endings, a story first, rudeness, letters, dialect. Changes no meaning."""

from __future__ import annotations

import random

from .template import expand

OPEN = {
    "zh": [
        "(你好|您好|哈喽|hi)(，|,| |！)",
        "(亲|亲亲|老板|店家|客服|小姐姐)(，|,| |～)",
        "(请问|请教一下|麻烦问一下|问一下|想问下|咨询一下)(，|:|)",
        "(那个|额|嗯|emmm|话说|对了)(，|,|。。)",
        "(在吗|在不在|有人吗)(？|，| )",
        "(你好|您好)(，|,)(请问|我想问下|麻烦问一下)",
        "(急|急急急|很急)(！|，|!!)",
        "(不好意思|打扰了|打扰一下)(，|,)",
        "(帮我看下|麻烦看一下|帮忙看看)(，|,| )",
        "(早上好|下午好|晚上好)(，|,)",
    ],
    "en": [
        "(hi|hello|hey|hi there|good morning|good afternoon)(,|!|) ",
        "(quick question|question|one question)(:|,|-) ",
        "(sorry|excuse me|sorry to bother you)(,|) ",
        "(please help|need help|help)(:|,|!|.) ",
        "(so|ok so|well|um|right)(,|) ",
        "(dear team|dear customer service|dear sir or madam|to whom it may concern)(,|.) ",
        "(hi team|hello team|hi guys|hey guys)(,|) ",
        "(urgent|URGENT)(:|!) ",
    ],
}
CLOSE = {
    "zh": [
        "(，|,| )(谢谢|谢了|多谢|感谢|谢谢啦)",
        "(，|,| )(在线等|挺急的|急|急用|着急)",
        "(！|!!|！！！|。|～|~|…|。。。)",
        "(，|,)(麻烦了|麻烦你了|辛苦了|拜托了)",
        "( |)(😭|🙏|😡|😊|😂|🥲|😅|🤔|👀|💢|😤|🙄|❤️)",
        "(，|,)(尽快回复|看到请回|等你回复|回我一下)",
        "(，|,)(不太会弄|第一次用|年纪大了不懂|我不太懂)",
    ],
    "en": [
        "(,| -|.|) (thanks|thank you|thx|cheers|many thanks|ty)",
        "(!|!!|!!!|...|.)",
        " (asap|urgent|please|pls|plz)",
        "(,|.) (please help|I need this today|I'm in a hurry)",
        " (😭|🙏|😡|😊|😅|🤔|😤)",
        "(.|,) (waiting for your reply|please get back to me|please let me know|looking forward to your answer)",
    ],
}
STORY = {
    "zh": [
        "(我|){when}(在你们店|在你们网站|在app上|在你们这)(买|办|下单)(过|了点)东西，(一直挺满意的|用着还行|当时客服说没问题)，(现在|今天)",
        "(昨天打电话|上次问过一次|之前在公众号留过言)(没人接|没说清楚|没人回)，(所以|)(再问下，|来这边问问，)",
        "(我妈|我爸|我老公|我室友|我同事)(不太会用手机|让我帮忙问一下|自己弄不明白)，",
        "(最近比较忙|出差刚回来|孩子刚上学|这两天一直加班)(没顾上|，才想起来)，",
        "(看了半天|找了一圈|在页面上翻了好久)(也|)(没找到|没看明白)，",
        "(事情是这样的|情况是这样|是这么回事)(：|，)",
    ],
    "en": [
        "I (bought|ordered) (something|a few things) from you {when_en} and (it was fine|was happy with it|your colleague was helpful). Now ",
        "I (called|wrote) {when_en} but (nobody answered|got no clear answer|nobody got back to me). ",
        "(my mother|my dad|a friend|my colleague) (asked me to write|isn't good with phones, so I'm asking). ",
        "I've (looked everywhere|read your whole help page|searched the site) (and|but) (found nothing|can't find it). ",
        "(here's|this is) (the situation|what happened): ",
        "(I just got back from a trip|I was ill last week|it's been a busy month). ",
    ],
}
WHEN = {
    "zh": ["上个月", "去年", "双十一", "上周", "前阵子", "618"],
    "en": ["last month", "last year", "on Black Friday", "last week", "a while ago", "in June"],
}
RUDE = {
    "zh": [
        "(搞什么|什么鬼|有没有搞错|烦死了|无语|服了|真服了)(，|！|，)",
        "(你们到底|你们能不能靠谱点|会不会做生意|别跟我打太极)(，|！|，行不行，)",
        "(他妈的|靠|草|我去|妈的)(，|！)",
    ],
    "en": [
        "(what the hell|are you kidding|for god's sake|this is ridiculous|wtf|unbelievable)(,|!|.) ",
        "(don't give me a standard answer|no excuses|stop wasting my time)(,|.) ",
    ],
}
DIALECT = [
    ("怎么", "咋"),
    ("什么", "啥"),
    ("没有", "木有"),
    ("吗", "嘛"),
    ("不知道", "不晓得"),
    ("怎么", "啷个"),
    ("什么时候", "啥子时候"),
    ("干什么", "搞么子"),
    ("可以吗", "得行不"),
    ("我", "俺"),
    ("这个", "介个"),
    ("多少钱", "几多钱"),
    ("知道", "晓得"),
    ("没", "冇"),
    ("是不是", "系唔系"),
    ("吗", "不咯"),
    ("了", "了撒"),
]
LETTER = {
    "zh": (
        "(尊敬的客服|尊敬的先生/女士|贵公司客服部|客服同志)：(您好！|你好。)",
        "(望尽快回复。|盼复，谢谢。|期待您的答复。|此致敬礼。)",
    ),
    "en": (
        "(Dear Sir or Madam|Dear Customer Service|Dear team), ",
        "(Kind regards|Best regards|I look forward to your reply|Yours sincerely)",
    ),
}
JOIN = {
    "zh": ["，另外", "，还有", "。还有就是", "，顺便问下", "。对了，", "，然后", "；", "，再问一个，", " "],
    "en": [", and ", ". Also, ", "; ", ". And another thing: ", ". By the way, ", ", plus "],
}


def dress(text: str, lang: str, rng: random.Random, plain: bool = False) -> str:
    """Puts openings, endings or a story around a meaning. `plain` lines (a bare "yes") stay nearly as they are."""

    def say(options: list[str]) -> str:
        return expand(rng.choice(options), rng, lambda name: rng.choice(WHEN["zh" if name == "when" else "en"]))

    def close(body: str) -> str:
        """An ending; after a question mark it starts without a comma of its own."""
        ending = say(CLOSE[lang])
        return body + (ending.lstrip("，,.-|") if body[-1] in "？?！!" and len(ending) > 1 else ending)

    draw = rng.random()
    if plain:
        return text + (
            say(CLOSE[lang][2:3] if lang == "zh" else CLOSE[lang][1:2])
            if draw < 0.10
            else say(CLOSE[lang][4:5])
            if draw < 0.18
            else ""
        )
    if draw < 0.40:
        pass
    elif draw < 0.62:
        text = say(OPEN[lang]) + text
    elif draw < 0.78:
        text = close(text)
    elif draw < 0.86:
        text = close(say(OPEN[lang]) + text)
    elif draw < 0.93:
        text = say(STORY[lang]) + text
    elif draw < 0.96:
        text = say(RUDE[lang]) + text
    elif draw < 0.975:
        head, tail = LETTER[lang]
        stop = "" if text[-1] in "？?" else "。" if lang == "zh" else "."
        text = say([head]) + text + stop + (" " if lang == "en" else "") + say([tail])
    elif lang == "zh":
        fits = [pair for pair in DIALECT if pair[0] in text]
        if fits:
            word, local = rng.choice(fits)
            head, _, tail = text.rpartition(word)
            text = head + local + tail
    return text


def join(first: str, second: str, lang: str, rng: random.Random) -> str:
    """Two meanings in one line."""
    return first.rstrip("？?。.！!") + rng.choice(JOIN[lang]) + second
