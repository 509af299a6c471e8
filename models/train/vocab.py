"""Builds the student's vocabulary and the first values of its word table.

Kept from SimBERT-Tiny: every Chinese character (simplified and traditional), punctuation and symbols, single kana,
short numbers, and the English pieces that MiniLM has too or our English text uses. Added: English WordPieces of MiniLM's vocabulary,
most frequent in our licensed English text first, then in MiniLM's own (frequency) order until `size` is full; and a few
emoji that customers use. A new English row starts at the ridge-regression image of MiniLM's row, fitted on the words
that both vocabularies hold; an emoji at the mean of the words that say what it shows.
"""
import collections
import re
import unicodedata

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
EMOJI = {
    "😊": "开心", "😀": "开心", "😁": "开心", "😄": "开心", "😅": "尴尬", "🙂": "微笑", "😉": "微笑", "😍": "喜欢", "🥰": "喜欢",
    "❤": "喜欢", "😘": "喜欢", "😭": "哭", "😢": "哭", "😡": "生气", "😠": "生气", "🤬": "生气", "😤": "生气", "🙄": "无语",
    "😓": "无语", "😑": "无语", "🤔": "怎么", "❓": "怎么", "😱": "惊", "😩": "累", "😫": "累", "😴": "困", "🙏": "谢谢", "👌": "好的",
    "👏": "好", "💪": "加油", "👎": "差", "👋": "你好", "🎉": "祝贺", "🎁": "礼物", "💰": "钱", "💳": "卡", "📦": "包裹", "🚚": "送货",
    "🚗": "车", "✈": "飞机", "🏨": "酒店", "📱": "手机", "📞": "电话", "☎": "电话", "💔": "心碎", "✅": "好", "❌": "不", "⏰": "时间",
    "📍": "地址", "🔑": "密码", "🔒": "锁", "💻": "电脑", "👗": "裙", "👟": "鞋", "💊": "药", "🐶": "狗", "🐱": "猫", "🍎": "果", "☕": "咖啡",
    "🤣": "笑", "🤷": "不知", "🥺": "求", "😇": "好", "💯": "好", "🌹": "花", "🤝": "合作", "🧾": "发票", "🛒": "购物", "🏠": "家",
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


def build(simbert_vocab, minilm_vocab, english_counts, size):
    """The token list, at most `size` long. `english_counts`: Counter of MiniLM's pieces over our English text."""
    keep = dict.fromkeys(SPECIAL)
    keep.update(dict.fromkeys(t for t in simbert_vocab if useful(t)))
    keep.update(dict.fromkeys(EMOJI))
    keep.update(dict.fromkeys("##" * i + c for i in (0, 1) for c in "abcdefghijklmnopqrstuvwxyz0123456789"))
    english = [t for t in minilm_vocab if re.fullmatch("(##)?[a-z]+", t)]
    rank = {t: i for i, t in enumerate(english)}
    order = sorted(english, key=lambda t: (-english_counts.get(t, 0), rank[t]))
    for t in order:
        if len(keep) >= size:
            break
        keep.setdefault(t)
    return list(keep)


def ridge(x, y, strength):
    """The matrix m that makes x @ m near y."""
    return np.linalg.solve(x.T @ x + strength * np.eye(x.shape[1], dtype=x.dtype), x.T @ y)


def table(tokens, simbert_vocab, simbert_rows, minilm_vocab, minilm_rows, strength=3.0):
    """First values of the word table for `tokens` (float32)."""
    s = {t: i for i, t in enumerate(simbert_vocab)}
    m = {t: i for i, t in enumerate(minilm_vocab)}
    both = [t for t in simbert_vocab if t in m and re.fullmatch("(##)?[a-z]{2,}", t)]
    x = minilm_rows[[m[t] for t in both]]
    y = simbert_rows[[s[t] for t in both]]
    mx, my = x.mean(0), y.mean(0)
    scale = x.std()
    w = ridge((x - mx) / scale, y - my, strength * len(both) ** 0.5)
    width = np.linalg.norm(y - my, axis=1).mean()
    chars = np.mean([simbert_rows[s[t]] for t in simbert_vocab if len(t) == 1 and han(t)], 0)
    out = np.zeros((len(tokens), simbert_rows.shape[1]), np.float32)
    for i, t in enumerate(tokens):
        if t in s:
            out[i] = simbert_rows[s[t]]
        elif t in m:
            v = (minilm_rows[m[t]] - mx) / scale @ w
            out[i] = my + v * (width / max(np.linalg.norm(v), 1e-6))  # ridge shrinks: give it the usual length back
        elif t in EMOJI:
            out[i] = np.mean([simbert_rows[s[c]] for c in EMOJI[t]], 0)
        else:
            out[i] = chars
    return out


def tokenizer(tokens):
    """The tokenizer in Hugging Face's format: BERT's normaliser and pre-tokeniser, WordPiece, [CLS] A [SEP]; it fixes
    neither padding nor truncation."""
    t = Tokenizer(models.WordPiece({v: i for i, v in enumerate(tokens)}, unk_token="[UNK]", max_input_chars_per_word=100))
    t.add_special_tokens(SPECIAL)
    t.normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=True, lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece(prefix="##")
    cls, sep = tokens.index("[CLS]"), tokens.index("[SEP]")
    t.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", cls), ("[SEP]", sep)]
    )
    return t


def count_pieces(minilm_tokenizer, texts):
    """How often each of MiniLM's pieces occurs in `texts`."""
    counts = collections.Counter()
    for e in minilm_tokenizer.encode_batch(list(texts)):
        counts.update(e.tokens)
    return counts
