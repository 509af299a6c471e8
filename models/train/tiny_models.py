"""Tiny random encoders of every kind that kefu reads, with the vectors of sentence-transformers: the oracle of its tests.

  pip install -r requirements.txt -r requirements-encoders.txt
  python tiny_models.py ../../tests/data/encoders

Each directory is a model as sentence-transformers saves it, and `expected.json`: sentences with their tokens and their vectors
of length 1, in f32. The files are frozen in the repository: the trainers of `tokenizers` break ties by chance, so each run numbers
tokens another way.
"""

import argparse
import json
import shutil
import unicodedata
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

SENTENCES = [
    "我要退货，什么时候能退款？",
    "Where is my order #12345?!",
    "",
    " ",
    "  two  spaces and a tab\there ",
    "naïve café, Ångström — İstanbul, straße",
    "轉人工，謝謝！發票開錯了",
    "😀👍🏽 好的 👨‍👩‍👧 ok",
    "مرحبا كيف حالك",
    "한국어 テスト ひらがな",
    "line\nfeed, return\r, bell\u0007, bom\ufeff",
    "thequickbrownfoxjumpsoverthelazydog" * 4,
    "退货 refund 发票 invoice " * 30,
]

# what a tokenizer learns from; the sentences have letters that it never saw
CORPUS = [
    "我要退货，什么时候能退款？ 发票开错了，转人工，谢谢！ 订单到哪里了？ 好的",
    "Where is my order? I want a refund and an invoice. The quick brown fox jumps over the lazy dog, ok",
    "query: passage: 0123456789 #?!,.",
] * 20

SHAPE = {"hidden": 24, "layers": 2, "heads": 3, "inner": 48}


def wordpiece(lowercase):
    """As BERT has it."""
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    t.train_from_iterator(
        CORPUS, trainers.WordPieceTrainer(vocab_size=220, special_tokens=special, show_progress=False)
    )
    ends = [(s, t.token_to_id(s)) for s in ("[CLS]", "[SEP]")]
    t.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    t.decoder = decoders.WordPiece()
    return t, dict(pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")


SENTENCEPIECE = ["<s>", "<pad>", "</s>", "<unk>"]
ENDS = dict(bos_token="<s>", cls_token="<s>", eos_token="</s>", sep_token="</s>", pad_token="<pad>", unk_token="<unk>")


def bpe():
    """As RoBERTa has it: pairs of bytes."""
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = [*SENTENCEPIECE, "<mask>"]
    t.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(vocab_size=300, special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    t.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    return t, dict(ENDS, mask_token=AddedToken("<mask>", lstrip=True, special=True))


def unigram():
    """As XLM-RoBERTa has it: SentencePiece's pieces."""
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    t.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    t.train_from_iterator(
        CORPUS,
        trainers.UnigramTrainer(
            vocab_size=240, special_tokens=SENTENCEPIECE, unk_token="<unk>", show_progress=False, shrinking_factor=0.7
        ),
    )
    t.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    t.decoder = decoders.Metaspace()
    return t, ENDS


def bert(t, pad):
    return BertModel(
        BertConfig(
            vocab_size=t.get_vocab_size(),
            hidden_size=SHAPE["hidden"],
            num_hidden_layers=SHAPE["layers"],
            num_attention_heads=SHAPE["heads"],
            intermediate_size=SHAPE["inner"],
            max_position_embeddings=40,
            pad_token_id=pad,
        ),
        add_pooling_layer=False,
    )


def roberta(kind, config, t):
    return kind(
        config(
            vocab_size=t.get_vocab_size(),
            hidden_size=SHAPE["hidden"],
            num_hidden_layers=SHAPE["layers"],
            num_attention_heads=SHAPE["heads"],
            intermediate_size=SHAPE["inner"],
            max_position_embeddings=42,
            type_vocab_size=1,
            layer_norm_eps=1e-5,
        ),
        add_pooling_layer=False,
    )


def distilbert(t):
    return DistilBertModel(
        DistilBertConfig(
            vocab_size=t.get_vocab_size(),
            dim=SHAPE["hidden"],
            n_layers=SHAPE["layers"],
            n_heads=SHAPE["heads"],
            hidden_dim=SHAPE["inner"],
            max_position_embeddings=40,
        )
    )


def shaken(model, kind):
    """Weights large enough that every one of them shows in the vectors, as numbers of the type they are saved in."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            around = 1.0 if "norm" in name.lower() and name.endswith("weight") else 0.0
            p.copy_((around + 0.3 * torch.randn_like(p)).to(kind).float())
    return model.eval()


def convert(directory, kind, shards):
    """Saves the encoder's weights in another type, or in several files with an index."""
    file = directory / "model.safetensors"
    tensors = {n: t.to(kind) for n, t in load_file(file).items()}
    names = sorted(tensors)
    parts = [names[n::shards] for n in range(shards)]
    if shards == 1:
        save_file(tensors, file, metadata={"format": "pt"})
        return
    file.unlink()
    index = {}
    for n, part in enumerate(parts, 1):
        name = f"model-{n:05}-of-{shards:05}.safetensors"
        save_file({t: tensors[t] for t in part}, directory / name, metadata={"format": "pt"})
        index.update(dict.fromkeys(part, name))
    total = sum(t.numel() * t.element_size() for t in tensors.values())
    text = json.dumps({"metadata": {"total_size": total}, "weight_map": index}, indent=1, sort_keys=True)
    (directory / "model.safetensors.index.json").write_text(text + "\n")


def write(
    out, name, seed, tokenizer, encoder, pooling, kind=torch.float32, shards=1, most=40, modules=(), prompts=None
):
    """One directory: the encoder, its modules, and what sentence-transformers makes of the sentences."""
    torch.manual_seed(seed)
    directory = out / name
    shutil.rmtree(directory, ignore_errors=True)
    bare = out / f"{name}.bare"
    t, special = tokenizer
    shaken(encoder(t), kind).save_pretrained(bare)
    PreTrainedTokenizerFast(tokenizer_object=t, model_max_length=most, **special).save_pretrained(bare)
    first = Transformer(str(bare))
    parts = [first, Pooling(SHAPE["hidden"], pooling), *[m() for m in modules]]
    for part in parts:
        if isinstance(part, Dense):
            shaken(part, torch.float32)
    model = SentenceTransformer(modules=parts, prompts=prompts or {}, device="cpu")
    model.save(str(directory), create_model_card=False)
    shutil.rmtree(bare)
    convert(directory, kind, shards)
    for stray in ("README.md", "special_tokens_map.json"):
        (directory / stray).unlink(missing_ok=True)
    model = SentenceTransformer(str(directory), device="cpu", model_kwargs={"dtype": torch.float32})
    prompt = (prompts or {}).get("query", "")
    vectors = model.encode(SENTENCES, batch_size=1, prompt=prompt or None, normalize_embeddings=True)
    tokens = [
        model.tokenizer(prompt + s, truncation=True, max_length=model.max_seq_length).input_ids for s in SENTENCES
    ]
    rows = [
        {"text": s, "tokens": ids, "vector": [round(float(x), 7) for x in v]}
        for s, ids, v in zip(SENTENCES, tokens, vectors, strict=True)
    ]
    text = ",\n".join(json.dumps(r, ensure_ascii=False) for r in rows)
    (directory / "expected.json").write_text(f"[\n{text}\n]\n", encoding="utf8")
    size = sum(f.stat().st_size for f in directory.rglob("*") if f.is_file())
    print(f"{name}: {len(vectors[0])} numbers, {size // 1024} KiB")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("out", type=Path)
    out = p.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for s in SENTENCES:
        # kefu reads texts in compatibility form, but for wide punctuation: these are in it already
        kept = "".join(c for c in s if unicodedata.east_asian_width(c) != "F")
        assert unicodedata.is_normalized("NFKC", kept), s
    half, brain = torch.float16, torch.bfloat16
    write(out, "bert-wordpiece", 1, wordpiece(True), lambda t: bert(t, 0), "mean", modules=[Normalize])
    e5 = {"query": "query: ", "passage": "passage: "}
    write(out, "bert-unigram", 2, unigram(), lambda t: bert(t, 1), "mean", modules=[Normalize], prompts=e5)
    dense = lambda: Dense(SHAPE["hidden"], 16)
    write(out, "bert-dense", 3, wordpiece(True), lambda t: bert(t, 0), "cls", kind=half, modules=[dense])
    write(out, "roberta-bpe", 4, bpe(), lambda t: roberta(RobertaModel, RobertaConfig, t), "mean", shards=2)
    write(
        out,
        "xlm-roberta-unigram",
        5,
        unigram(),
        lambda t: roberta(XLMRobertaModel, XLMRobertaConfig, t),
        "cls",
        kind=brain,
        most=16,
        modules=[Normalize],
    )
    write(out, "distilbert-wordpiece", 6, wordpiece(False), distilbert, "max")


if __name__ == "__main__":
    main()
