"""The text that may train the shipped weights, and nothing else.

Every source here has a licence that allows it (models/CARD.md lists them). Sets that are for research only, or that state
no licence (LCQMC, BQ, ATEC, 同花顺, SMP, CMID, CAIS, taobao dialogues), are never read by this module. Of the public
intent sets only the train splits are read, and only their text: their labels never train.

  python corpus.py --data DIR --work DIR --generated FILE --setting cpu OUT.jsonl

A line is {"text", "lang": zh|en, "source", and where they exist "teacher" (what the teachers read instead: the text in
simplified characters), "pair" (lines with the same value mean the same), "intent" (of our own lines only), "repeat" (how
often it comes in a pass, if more than once)}.
"""

import argparse
import csv
import io
import json
import random
import re
import sys
import zipfile
from pathlib import Path

import apphelp
import assistant
import phrasings
from fetch import Paths
from settings import setting

HAN = re.compile("[\u3400-\u9fff]")


def line(text, lang, source, **more):
    return {"text": text, "lang": lang, "source": source, **more}


def normalize(text, longest=80):
    """One line without outer blanks, or None when it is empty, too long or mostly markup."""
    t = " ".join(text.replace("\u3000", " ").split())
    if not t or len(t) > longest * (1 if HAN.search(t) else 3) or "http" in t or t.count("{") or t.count("<"):
        return None
    return t


def few_shot(data):
    """BANKING77 (CC-BY-4.0), CLINC150 (CC-BY-3.0), HWU64 (CC-BY-4.0), SNIPS (CC0): train splits."""
    base = data / "few-shot-intent-en" / "Datasets"
    for name in ("BANKING77", "CLINC150", "HWU64", "SNIPS"):
        for t in (base / name / "train" / "seq.in").read_text(encoding="utf8").splitlines():
            yield line(t, "en", name.lower())


def bitext(data):
    """Bitext customer service (CDLA-Sharing-1.0), train split."""
    path = data / "bitext-customer-service-en" / "Bitext_Sample_Customer_Service_Training_Dataset.csv"
    with open(path, encoding="utf8", newline="") as f:
        for r in csv.DictReader(f):
            yield line(r["utterance"], "en", "bitext")


def crosswoz(data):
    """CrossWOZ (Apache-2.0): the utterances of its validation dialogues."""
    with zipfile.ZipFile(data / "crosswoz" / "val.json.zip") as z:
        dialogues = json.loads(z.read("val.json"))
    for d in dialogues.values():
        for m in d["messages"]:
            for part in re.split("(?<=[。？！?!])", m["content"]):
                yield line(part, "zh", "crosswoz")


def egret(data):
    """Egret forum questions (Apache-2.0)."""
    with zipfile.ZipFile(data / "egret-wenda" / "egret-wenda-corpus.zip") as z:
        text = z.read("egret-wenda-corpus-master/egret_wenda_lines.txt").decode("utf8", "replace")
    for row in text.splitlines():
        t = row.split("+++$+++")[-1]
        if HAN.search(t):
            yield line(t, "zh", "egret")


def chatterbot(data):
    """chatterbot-corpus (BSD-3): small talk in simplified and traditional Chinese and English."""
    wheel = next((data / "chatterbot-corpus").glob("*.whl"), None)
    if not wheel:
        raise FileNotFoundError("chatterbot-corpus/*.whl")
    with zipfile.ZipFile(wheel) as z:
        for name in z.namelist():
            m = re.search("data/(chinese|traditionalchinese|english)/.*yml", name)
            if not m or name.endswith("coding.yml"):
                continue
            for row in io.TextIOWrapper(z.open(name), encoding="utf8"):
                if re.match(r"\s*-", row):
                    t = re.sub(r"^[\s-]+", "", row).strip().strip("'\"")
                    yield line(t, "zh" if HAN.search(t) else "en", "chatterbot")


def pawsx(paths):
    """PAWS-X zh (free for any use, with acknowledgement), train split, shorter sentences."""
    for row in paths.pawsx.read_text(encoding="utf8").splitlines():
        for t in row.split("\t")[:2]:
            if HAN.search(t) and len(t) <= 45:
                yield line(t, "zh", "pawsx")


def public(data):
    """All public sets that lie in the data folder, tidied, without repeats; a folder that is missing is left out with a word."""
    seen = set()
    for source in (few_shot, bitext, crosswoz, egret, chatterbot):
        try:
            for r in source(data):
                t = normalize(r["text"])
                if t and t not in seen:
                    seen.add(t)
                    yield {**r, "text": t}
        except FileNotFoundError:
            print(f"corpus: no data for {source.__name__}, left out", file=sys.stderr)


# Frames for single words, so that the student meets far more words than the dialogues hold. {} is a word of jieba's list.
FRAMES = {
    "n": [
        "{}",
        "{}",
        "{}多少钱",
        "有{}吗",
        "{}怎么用",
        "我想买{}",
        "{}在哪里",
        "{}是什么",
        "怎么选{}",
        "{}坏了",
        "帮我找一下{}",
        "关于{}的问题",
        "{}和{}有什么区别",
        "推荐一款{}",
        "{}什么时候有",
        "我的{}不见了",
        "打开{}",
        "查一下{}",
        "{}需要什么条件",
        "取消{}",
    ],
    "v": [
        "{}",
        "怎么{}",
        "能不能{}",
        "我要{}",
        "为什么不能{}",
        "什么时候可以{}",
        "{}要多久",
        "帮我{}一下",
        "不想{}了",
        "{}失败了",
    ],
    "x": ["{}", "{}天气怎么样", "去{}怎么走", "{}的电话是多少", "{}有什么好吃的"],
}
KIND = {"n": "n", "nz": "n", "vn": "v", "v": "v", "ns": "x", "nt": "x", "l": "n", "i": "n"}


def dictionary(paths):
    """jieba's words of two to five characters by kind, each with a weight that grows with its frequency."""
    kinds = {"n": [], "v": [], "x": [], "ns": [], "nr": []}
    for row in paths.jieba.read_text(encoding="utf8").splitlines():
        word, frequency, tag = row.split(" ")
        if not 2 <= len(word) <= 5 or int(frequency) < 20:
            continue
        item = (word, float(frequency) ** 0.4)
        if tag in KIND:
            kinds[KIND[tag]].append(item)
        if tag in ("ns", "nr"):
            kinds[tag].append(item)
    return kinds


def draw(random_, items, count):
    return random_.choices([w for w, _ in items], [f for _, f in items], k=count)


def words(paths, count, seed):
    """Short phrases around words of jieba's dictionary (MIT), more frequent words more often."""
    random_ = random.Random(seed)
    kinds = dictionary(paths)
    picks = {k: [draw(random_, kinds[k], 2 * count), 0] for k in "nvx"}
    for _ in range(count):
        kind = random_.choices("nvx", (6, 4, 1))[0]
        frame = random_.choice(FRAMES[kind])
        pool, at = picks[kind]
        n = frame.count("{}")
        picks[kind][1] += n
        yield line(frame.format(*pool[at : at + n]), "zh", "words")


def requests(paths, lang, count, seed):
    """Requests to an assistant (zh) and to a shop (en) from our own frames. Wishes of a language are a set of their own:
    they are not compared with the intents of `models/intents`."""
    more = {}
    if lang == "zh":
        random_ = random.Random(f"{seed}/requests")
        kinds = dictionary(paths)
        more = {
            slot: draw(random_, kinds[k], count)
            for slot, k in (("noun", "n"), ("verb", "v"), ("place", "ns"), ("person", "nr"))
        }
    for text, intent in assistant.lines(lang, more, count, seed):
        yield line(text, lang, "requests", intent=f"{lang}/{intent}")


BROAD = ("faq", "service_request", "out_of_scope")


def generated(file):
    """Lines of our own generator (JSON lines with text, lang, intent, domain, pair)."""
    with open(file, encoding="utf8") as f:
        for row in f:
            r = json.loads(row)
            more = {k: r[k] for k in ("intent", "pair", "domain") if r.get(k) is not None}
            if more.get("intent") in BROAD or r.get("also"):  # too wide, or two intents: says nothing about likeness
                more.pop("intent", None)
            yield line(r["text"], r["lang"], "generated", **more)


def handwritten(repeat, folder=phrasings.FOLDER):
    """Our own lines in `phrasings/`; they come `repeat` times in a pass."""

    def own(text, source, **more):
        return line(text, "zh" if HAN.search(text) else "en", source, repeat=repeat, **more)

    for text, intent in phrasings.labelled(folder):
        yield own(text, "phrasings", **({} if intent in BROAD else {"intent": intent}))
    for text, group in phrasings.groups(folder):
        yield own(text, "groups", pair=group)


def traditional(rows, paths, share, seed):
    """Adds, for a share of the Chinese lines, the same line in traditional characters, whose teachers read the simplified one."""
    sys.path.insert(0, str(paths.opencc))
    from opencc import OpenCC

    convert = OpenCC("s2t").convert
    random_ = random.Random(seed)
    for r in rows:
        yield r
        if r["lang"] == "zh" and random_.random() < share:
            t = convert(r["text"])
            if t != r["text"]:
                yield {**r, "text": t, "teacher": r["text"], "source": r["source"] + "-traditional"}


OWN = ("requests", "groups", "generated", "words", "apphelp")  # `phrasings.tidy` has seen to the phrasings


def gather(data, paths, generated_file, limits, seed, unlike=frozenset()):
    """All lines under the setting's limits per source, shuffled. `limits`: {source or source-lang: most lines}; `unlike`:
    texts in lower case that no line of our own may equal."""
    random_ = random.Random(seed)
    by = {}
    rows = list(public(data))
    if limits.get("pawsx"):
        rows += pawsx(paths)
    if limits.get("words"):
        rows += words(paths, limits["words"], seed)
    for lang in ("zh", "en"):
        if limits.get(f"requests-{lang}"):
            rows += requests(paths, lang, limits[f"requests-{lang}"], seed)
    if limits.get("apphelp"):
        rows += (line(t, "zh", "apphelp") for t in apphelp.lines(limits["apphelp"], seed))
    if limits.get("repeat"):
        rows += handwritten(limits["repeat"])
    if generated_file:
        rows += generated(generated_file)
    seen = set()
    for r in rows:
        t = normalize(r["text"])
        if t and t not in seen and not (r["source"] in OWN and t.lower() in unlike):
            seen.add(t)
            by.setdefault((r["source"], r["lang"]), []).append({**r, "text": t})
    out = []
    for (source, lang), v in by.items():
        n = limits.get(f"{source}-{lang}", limits.get(source, len(v)))
        out += v if n >= len(v) else random_.sample(v, n)
    if limits.get("traditional"):
        out = list(traditional(out, paths, limits["traditional"], seed))
    random_.shuffle(out)
    return out


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("out")
    p.add_argument("--data", required=True, help="folder with the public data sets")
    p.add_argument("--work", required=True, help="folder of fetch.py")
    p.add_argument("--generated", help="lines of `python -m generate`")
    p.add_argument("--setting", default="cpu")
    p.add_argument("--unlike", help="texts of `score.py --texts`: lines of our own that equal one are left out")
    a = p.parse_args()
    s = setting(a.setting)
    unlike = frozenset()
    if a.unlike:
        unlike = frozenset(json.loads(x).lower() for x in Path(a.unlike).read_text(encoding="utf8").splitlines())
    rows = gather(Path(a.data), Paths(a.work), a.generated, s["lines"], s["seed"], unlike)
    with open(a.out, "w", encoding="utf8") as f:
        for r in rows:
            f.write(json.dumps(r, ensure_ascii=False) + "\n")
    counts = {}
    for r in rows:
        k = (r["lang"], r["source"])
        counts[k] = counts.get(k, 0) + 1
    for (lang, source), n in sorted(counts.items()):
        print(f"{lang} {source:24} {n:8,}")
    print(f"{len(rows):,} lines")


if __name__ == "__main__":
    main()
