"""Requests from frames written for this project (`requests/`): Chinese ones to a voice assistant, English ones to a shop.

A frame is a sentence with slots; slots are filled from `*-words.txt` and, in Chinese, from words of jieba's dictionary
(MIT). Each line brings its wish, so that lines of the same frame and of different wishes can be kept apart."""

import random
import re
from pathlib import Path

FOLDER = Path(__file__).with_name("requests")
SLOT = re.compile(r"{(\w+)}")

AROUND = {  # what may stand before and after any request, once in seven
    "zh": (
        "帮我 请 麻烦 我想 能不能 可以 请问 请帮我 给我 我要 你能 那个 喂 你好 嗨 哎 小宝 小助手".split(),
        "吧 呢 啊 谢谢 可以吗 好吗 一下 行不行 呀 ？ 。 ！ 嘛 哦".split(),
    ),
    "en": (
        ["hi, ", "hello ", "please ", "hey, ", "so ", "um, ", "sorry, ", "hello there, ", "quick question: ", "ok "],
        [" please", " thanks", "?", ".", " asap", " thank you", " pls", "!", " today", " now"],
    ),
}


def words(lang, folder=FOLDER):
    """{slot: words}; a line of the file is `slot: word word` or, where words hold blanks, `slot: word | word`."""
    out = {}
    for row in (folder / f"{lang}-words.txt").read_text(encoding="utf8").splitlines():
        slot, _, rest = row.partition(": ")
        out[slot] = [w.strip() for w in rest.split("|")] if "|" in rest else rest.split()
    return out


def frames(lang, folder=FOLDER):
    """[(wish, weight, frames)] in the order of the file: `# wish weight`, then frames parted by `|`."""
    out = []
    for row in (folder / f"{lang}-frames.txt").read_text(encoding="utf8").splitlines():
        if row.startswith("# "):
            _, wish, weight = row.split()
            out.append((wish, float(weight), []))
        elif row:
            out[-1][2].extend(row.split("|"))
    return out


def fill(frame, pools, random_):
    """The frame with a word in each slot; words may hold slots themselves."""
    while SLOT.search(frame):
        frame = SLOT.sub(lambda m: random_.choice(pools[m[1]]), frame)
    return frame


def slip(text, random_):
    """An English line as it is typed in haste: two letters swapped, one lost, or no apostrophes."""
    if random_.random() < 0.3:
        return text.replace("'", "")
    i = random_.randrange(1, max(2, len(text) - 2))
    if random_.random() < 0.5:
        return text[:i] + text[i + 1 :]
    return text[:i] + text[i + 1 : i + 2] + text[i] + text[i + 2 :]


def lines(lang, more, count, seed, folder=FOLDER):
    """Up to `count` distinct (text, wish); `more`: {slot: words} beside those of the folder."""
    r = random.Random(f"{seed}/{lang}")
    topics, pools = frames(lang, folder), {**words(lang, folder), **more}
    weights = [w for _, w, _ in topics]
    before, after = AROUND[lang]
    seen = {}
    for _ in range(4 * count):  # topics without slots repeat themselves: let the count end
        wish, _, some = r.choices(topics, weights)[0]
        text = fill(r.choice(some), pools, r)
        if r.random() < 0.15 and not text.startswith(tuple(before)):
            text = r.choice(before) + text
        if r.random() < 0.15:
            text += r.choice(after)
        if lang == "en" and r.random() < 0.1:
            text = slip(text, r)
        seen.setdefault(text, wish)
        if len(seen) == count:
            break
    return list(seen.items())
