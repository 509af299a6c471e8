"""Builds the student's vocabulary and the first values of its word table.

Kept from SimBERT-Tiny: every Chinese character (simplified and traditional), punctuation and symbols, single kana,
short numbers. Added: the whole English words that our licensed text uses often, the word pieces of MiniLM's vocabulary
that the rest of that text needs, then MiniLM's words in its own (frequency) order until `size` is full; and emoji that
customers use.

First rows: what SimBERT has keeps its row. An English word starts as a mix of the characters of its nearest Chinese
words, found by a teacher that reads both languages: SimBERT's layers then read "refund" about as 退款. A piece starts at
the ridge-regression image of MiniLM's row, fitted on the entries that both vocabularies hold; an emoji at the mean of
the words that say what it shows.
"""

import collections
import re
import unicodedata

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
EMOJI = {
    "😊": "开心",
    "😀": "开心",
    "😁": "开心",
    "😄": "开心",
    "😅": "尴尬",
    "🙂": "微笑",
    "😉": "微笑",
    "😍": "喜欢",
    "🥰": "喜欢",
    "❤": "喜欢",
    "😘": "喜欢",
    "😭": "哭",
    "😢": "哭",
    "😡": "生气",
    "😠": "生气",
    "🤬": "生气",
    "😤": "生气",
    "🙄": "无语",
    "😓": "无语",
    "😑": "无语",
    "🤔": "怎么",
    "❓": "怎么",
    "😱": "惊",
    "😩": "累",
    "😫": "累",
    "😴": "困",
    "🙏": "谢谢",
    "👌": "好的",
    "👏": "好",
    "💪": "加油",
    "👎": "差",
    "👋": "你好",
    "🎉": "祝贺",
    "🎁": "礼物",
    "💰": "钱",
    "💳": "卡",
    "📦": "包裹",
    "🚚": "送货",
    "🚗": "车",
    "✈": "飞机",
    "🏨": "酒店",
    "📱": "手机",
    "📞": "电话",
    "☎": "电话",
    "💔": "心碎",
    "✅": "好",
    "❌": "不",
    "⏰": "时间",
    "📍": "地址",
    "🔑": "密码",
    "🔒": "锁",
    "💻": "电脑",
    "👗": "裙",
    "👟": "鞋",
    "💊": "药",
    "🐶": "狗",
    "🐱": "猫",
    "🍎": "果",
    "☕": "咖啡",
    "🤣": "笑",
    "🤷": "不知",
    "🥺": "求",
    "😇": "好",
    "💯": "好",
    "🌹": "花",
    "🤝": "合作",
    "🧾": "发票",
    "🛒": "购物",
    "🏠": "家",
}


def han(c):
    return "\u3400" <= c <= "\u9fff" or "\uf900" <= c <= "\ufaff"


def useful(token):
    """Whether one of SimBERT's entries is kept whatever the English text says."""
    body = token[2:] if token.startswith("##") else token
    inner = token.startswith("##")
    if not body or token.startswith("[") and token.endswith("]"):
        return False
    if len(body) == 1:
        if han(body):
            return not inner  # the normaliser puts blanks around every Chinese character
        return not (inner and unicodedata.category(body).startswith("P"))
    if re.fullmatch("[0-9]+", body):
        return len(body) <= (3 if not inner else 2)
    return False


def build(simbert_vocab, minilm_vocab, words, pieces, size, often=4):
    """The token list, at most `size` long. `words`: Counter of whole English words in our text, `pieces`: Counter of
    MiniLM's pieces over it; `often`: how often a word must occur to get an entry of its own."""
    keep = dict.fromkeys(SPECIAL)
    keep.update(dict.fromkeys(t for t in simbert_vocab if useful(t)))
    keep.update(dict.fromkeys(EMOJI))
    keep.update(dict.fromkeys("##" * i + c for i in (0, 1) for c in "abcdefghijklmnopqrstuvwxyz0123456789"))
    english = [t for t in minilm_vocab if re.fullmatch("(##)?[a-z]+", t)]
    used = sorted((t for t in english if t.startswith("##") and pieces[t]), key=lambda t: (-pieces[t], t))
    whole = sorted((w for w, n in words.items() if n >= often), key=lambda w: (-words[w], w))
    for t in [*whole, *used, *(t for t in english if not t.startswith("##"))]:
        if len(keep) >= size:
            break
        keep.setdefault(t)
    return list(keep)


def count(minilm_tokenizer, texts):
    """(Counter of whole words, Counter of MiniLM's pieces) over English texts; pieces count once per distinct word."""
    words = collections.Counter(w for t in texts for w in re.findall("[a-z]+", t.lower()))
    distinct = sorted(words)
    pieces = collections.Counter(p for e in minilm_tokenizer.encode_batch(distinct) for p in e.tokens)
    return words, pieces


def ridge(x, y, strength):
    """The matrix m that makes x @ m near y."""
    return np.linalg.solve(x.T @ x + strength * np.eye(x.shape[1], dtype=x.dtype), x.T @ y)


def translations(english, chinese, near=5, tau=0.03):
    """For each row of `english` the `near` most similar rows of `chinese` (unit vectors) and their softmax weights.

    Half of what a Chinese word has in common with English words in general is taken off its score, or a few words
    would be everybody's neighbour.
    """
    s = english @ chinese.T
    crowd = np.sort(s, 0)[-10:].mean(0)
    s = s - 0.5 * crowd
    at = np.argsort(-s, 1)[:, :near]
    w = np.exp((np.take_along_axis(s, at, 1) - s.max(1, keepdims=True)) / tau)
    return at, w / w.sum(1, keepdims=True)


def table(tokens, simbert_vocab, simbert_rows, minilm_vocab, minilm_rows, lexicon, strength=3.0):
    """First values of the word table for `tokens` (float32). `lexicon`: {English word: [(Chinese word, weight)]}."""
    s = {t: i for i, t in enumerate(simbert_vocab)}
    m = {t: i for i, t in enumerate(minilm_vocab)}
    both = [t for t in simbert_vocab if t in m and re.fullmatch("(##)?[a-z]{2,}", t)]
    x = minilm_rows[[m[t] for t in both]]
    y = simbert_rows[[s[t] for t in both]]
    mx, my = x.mean(0), y.mean(0)
    scale = x.std()
    w = ridge((x - mx) / scale, y - my, strength * len(both) ** 0.5)
    width = np.linalg.norm(y - my, axis=1).mean()
    chars = np.array([simbert_rows[s[t]] for t in simbert_vocab if len(t) == 1 and han(t)])
    middle, length = chars.mean(0), np.linalg.norm(chars - chars.mean(0), axis=1).mean()
    out = np.zeros((len(tokens), simbert_rows.shape[1]), np.float32)
    for i, t in enumerate(tokens):
        if t in lexicon:
            v = (
                sum(k * np.mean([simbert_rows[s[c]] for c in word if c in s] or [middle], 0) for word, k in lexicon[t])
                - middle
            )
            out[i] = middle + v * (length / max(np.linalg.norm(v), 1e-6))  # a mean is short: give it the usual length
        elif t in s:
            out[i] = simbert_rows[s[t]]
        elif t in m:
            v = (minilm_rows[m[t]] - mx) / scale @ w
            out[i] = my + v * (width / max(np.linalg.norm(v), 1e-6))  # ridge shrinks, likewise
        elif t in EMOJI:
            out[i] = np.mean([simbert_rows[s[c]] for c in EMOJI[t] if c in s] or [middle], 0)
        else:
            out[i] = middle
    return out


def tokenizer(tokens):
    """The tokenizer in Hugging Face's format: BERT's normaliser and pre-tokeniser, WordPiece, [CLS] A [SEP]; it fixes
    neither padding nor truncation."""
    t = Tokenizer(
        models.WordPiece({v: i for i, v in enumerate(tokens)}, unk_token="[UNK]", max_input_chars_per_word=100)
    )
    t.add_special_tokens(SPECIAL)
    t.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=True, lowercase=True
    )
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece(prefix="##")
    cls, sep = tokens.index("[CLS]"), tokens.index("[SEP]")
    t.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", cls), ("[SEP]", sep)]
    )
    return t
