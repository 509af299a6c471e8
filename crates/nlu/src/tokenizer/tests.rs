//! Hugging Face's own crate is the oracle: same tokens for a mixed corpus and for anything at all.

use std::{collections::BTreeMap, time::Instant};

use proptest::prelude::*;

use super::*;

const CORPUS: &[&str] = &[
    "",
    " ",
    "我要退货",
    "我的訂單到哪裡了？",
    "Where is my order #12345?!",
    "refunding refunds REFUND Refund",
    "能不能开发票…急急急！！！",
    "wǒ yào tuìhuò，谢谢",
    "naïve café Ångström ﬁancé ＦＵＬＬ　ｗｉｄｔｈ",
    "İstanbul ǅ ß ΑΣ ς",
    "😀👍🏽👨‍👩‍👧 ok",
    "مرحبا كيف حالك \u{200f}\u{202e}abc",
    "한국어 テスト カタカナ ひらがな が\u{3099}",
    "tab\tnew\nline\rreturn\u{0}nul\u{7}bell\u{ad}soft\u{feff}bom\u{fffd}",
    "e\u{301}\u{327} a\u{5b0}\u{307}\u{323} \u{1100}\u{1161}\u{11a8}",
    "a-b_c/d\\e(f)[g]{h}<i>`j`~k^l|m",
    "“引号”《书名》、。，；：·—— ！？",
    "ok[CLS]no [SEP] [UNK] ##s",
    "\u{20000}\u{2f800}\u{f900}\u{3007}㊀〇",
    "thequickbrownfoxjumpsoverthelazydogthequickbrownfoxjumpsoverthelazydogthequickbrownfoxjumpsoverthelazydog!",
];

/// A tokenizer.json whose vocabulary covers the corpus in part: letters, some syllables, half of the other characters.
fn definition(lowercase: bool) -> String {
    let mut entries: Vec<String> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"].map(String::from).into();
    entries.extend(
        ["re", "fund", "##fund", "##ing", "##s", "order", "where", "##o", "##k", "caf", "##é"].map(String::from),
    );
    entries.extend(('a'..='z').filter(|c| *c != 'q').flat_map(|c| [c.to_string(), format!("##{c}")]));
    entries.extend(('0'..='9').flat_map(|c| [c.to_string(), format!("##{c}")]));
    let mut others: Vec<char> = CORPUS.iter().flat_map(|t| t.chars()).filter(|c| !c.is_ascii_alphanumeric()).collect();
    others.sort_unstable();
    others.dedup();
    entries.extend(others.iter().filter(|c| (**c as u32).is_multiple_of(2)).map(char::to_string));
    entries.extend(others.iter().filter(|c| (**c as u32).is_multiple_of(3)).map(|c| format!("##{c}")));
    let mut vocab = BTreeMap::new();
    for (n, entry) in entries.into_iter().enumerate() {
        vocab.entry(entry).or_insert(n);
    }
    serde_json::json!({
        "version": "1.0",
        "truncation": { "direction": "Right", "max_length": 16, "strategy": "LongestFirst", "stride": 0 },
        "padding": null,
        "added_tokens": [{ "id": 3, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true }],
        "normalizer": { "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": lowercase },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": { "type": "TemplateProcessing",
            "single": [{ "SpecialToken": { "id": "[CLS]", "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } },
                { "SpecialToken": { "id": "[SEP]", "type_id": 0 } }],
            "pair": [{ "Sequence": { "id": "A", "type_id": 0 } }, { "Sequence": { "id": "B", "type_id": 1 } }],
            "special_tokens": { "[CLS]": { "id": "[CLS]", "ids": [2], "tokens": ["[CLS]"] },
                "[SEP]": { "id": "[SEP]", "ids": [3], "tokens": ["[SEP]"] } } },
        "decoder": null,
        "model": { "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocab },
    })
    .to_string()
}

/// Ours and theirs of one definition.
struct Pair {
    ours: Tokenizer,
    theirs: tokenizers::Tokenizer,
}

impl Pair {
    fn of(json: &[u8]) -> Self {
        let mut theirs = tokenizers::Tokenizer::from_bytes(json).unwrap();
        theirs.with_padding(None).with_truncation(None).unwrap().set_encode_special_tokens(true);
        Self { ours: Tokenizer::from_json(json).unwrap(), theirs }
    }

    fn new(lowercase: bool) -> Self {
        Self::of(definition(lowercase).as_bytes())
    }

    fn differs(&self, text: &str) -> Option<String> {
        let (ours, theirs) = (self.ours.encode(text, usize::MAX), self.theirs.encode(text, true).unwrap());
        (ours != theirs.get_ids()).then(|| format!("{text:?}: {ours:?}, not {:?}", theirs.get_ids()))
    }
}

thread_local! {
    static PAIRS: [Pair; 2] = [Pair::new(true), Pair::new(false)];
}

fn assert_equal(text: &str) -> Result<(), String> {
    PAIRS.with(|pairs| pairs.iter().find_map(|p| p.differs(text)).map_or(Ok(()), Err))
}

#[test]
fn the_corpus_has_the_tokens_of_the_oracle() {
    for text in CORPUS {
        assert_equal(text).unwrap();
    }
    let all = CORPUS.join(" ");
    assert_equal(&all).unwrap();
}

#[test]
fn every_character_alone_and_in_a_word_has_the_tokens_of_the_oracle() {
    let mut text = String::new();
    for c in (0..=0x3_ffff).chain(0xe_0000..0xe_1000).filter_map(char::from_u32) {
        text.extend(['a', c, 'b', ' ', c, ' ']);
        if text.len() > 3000 {
            assert_equal(&text).unwrap();
            text.clear();
        }
    }
    assert_equal(&text).unwrap();
}

/// Text as people write it, and as they don't.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(CORPUS).prop_map(String::from),
        prop::collection::vec(any::<char>(), 0..8).prop_map(String::from_iter),
        prop::collection::vec(prop::char::range('\u{300}', '\u{370}'), 1..4).prop_map(String::from_iter),
        prop::collection::vec(prop::char::range('\u{2000}', '\u{2070}'), 1..4).prop_map(String::from_iter),
        prop::collection::vec(prop::char::range('\u{ac00}', '\u{d7a3}'), 1..4).prop_map(String::from_iter),
        prop::collection::vec(prop::char::range('\u{4e00}', '\u{4eff}'), 1..4).prop_map(String::from_iter),
        "[ -~]{0,12}",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn anything_has_the_tokens_of_the_oracle(text in text()) {
        assert_equal(&text).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn a_limit_keeps_the_beginning_and_the_end_token(text in text(), max in 0usize..40) {
        PAIRS.with(|[pair, _]| {
            let (all, cut) = (pair.ours.encode(&text, usize::MAX), pair.ours.encode(&text, max));
            let max = max.max(2);
            if all.len() <= max {
                assert_eq!(all, cut);
            } else {
                assert_eq!(cut.len(), max);
                assert_eq!((&cut[..max - 1], cut[max - 1]), (&all[..max - 1], 3));
            }
        });
    }
}

#[cfg(model_embedded)]
#[test]
fn the_shipped_tokenizer_has_the_tokens_of_the_oracle() {
    let pair = Pair::of(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/default/tokenizer.json")));
    for text in CORPUS {
        assert_eq!(pair.differs(text), None);
    }
}

#[test]
fn huge_and_odd_texts_cost_what_their_beginning_costs() {
    let ours = Tokenizer::from_json(definition(true).as_bytes()).unwrap();
    let begin = Instant::now();
    for unit in ["退", "refund ", " ", "\u{301}", "a", "\u{0}", "👍", "\u{202e}ا", "!"] {
        let tokens = ours.encode(&unit.repeat(1_000_000), 128);
        assert!(tokens.len() <= 128 && tokens[0] == 2 && tokens[tokens.len() - 1] == 3);
    }
    // far from a benchmark: reading them whole takes minutes in this build
    assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
}

#[test]
fn a_vocab_txt_is_the_same_tokenizer() {
    let vocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n退\n货\nrefund\n##s\n";
    let ours = Tokenizer::from_vocab(vocab.as_bytes(), true).unwrap();
    assert_eq!(ours.encode("退货 Refunds?", 128), [2, 4, 5, 6, 7, 1, 3]);
    assert_eq!(Tokenizer::from_vocab(vocab.as_bytes(), false).unwrap().encode("Refunds", 128), [2, 1, 3]);
    assert!(Tokenizer::from_vocab(b"a\nb", true).unwrap_err().to_string().contains("[CLS]"));
    assert!(Tokenizer::from_vocab(b"\xff", true).unwrap_err().to_string().contains("UTF-8"));
}

#[test]
fn other_tokenizers_are_refused_by_name() {
    let with = |pointer: &str, value: serde_json::Value| {
        let mut json: serde_json::Value = serde_json::from_str(&definition(true)).unwrap();
        *json.pointer_mut(pointer).unwrap() = value;
        Tokenizer::from_json(json.to_string().as_bytes()).unwrap_err().to_string()
    };
    assert!(with("/model/type", "BPE".into()).contains("model BPE"));
    assert!(with("/normalizer/type", "NFC".into()).contains("normalizer NFC"));
    assert!(with("/pre_tokenizer/type", "Metaspace".into()).contains("pre_tokenizer Metaspace"));
    assert!(with("/post_processor/type", "RobertaProcessing".into()).contains("RobertaProcessing"));
    assert!(with("/model/unk_token", "[NONE]".into()).contains("[NONE]"));
    assert!(Tokenizer::from_json(b"{}").is_err());
}
