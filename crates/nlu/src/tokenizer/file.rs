//! Reading the definition of a tokenizer, with errors that say which part is not understood.

use std::{borrow::Cow, collections::HashMap};

use serde::{
    Deserialize,
    de::{MapAccess, SeqAccess, Visitor},
};

use super::{
    Tokenizer,
    text::Rules,
    wordpiece::{LONGEST_WORD, WordPiece},
};

/// Why a tokenizer can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// The file isn't the JSON that a tokenizer.json is.
    #[error("tokenizer.json can't be read: {0}. It must be the file Hugging Face's tokenizers library writes")]
    Json(#[from] serde_json::Error),
    /// A `vocab.txt` in another encoding.
    #[error("vocab.txt isn't UTF-8: {0}")]
    Encoding(#[from] std::str::Utf8Error),
    /// A part of another kind of tokenizer.
    #[error("tokenizer.json has the {part} {found}; this model reader knows {known}")]
    Unknown {
        /// Which part of the file.
        part: &'static str,
        /// What it names.
        found: String,
        /// What could be read.
        known: &'static str,
    },
    /// The vocabulary lacks a token that every text needs.
    #[error("the vocabulary has no {0}")]
    Missing(String),
}

#[derive(Deserialize)]
struct File<'a> {
    normalizer: Option<Normalizer>,
    pre_tokenizer: Option<Part>,
    post_processor: Option<Part>,
    #[serde(borrow)]
    model: Model<'a>,
}

#[derive(Deserialize)]
struct Normalizer {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default = "yes")]
    clean_text: bool,
    #[serde(default = "yes")]
    handle_chinese_chars: bool,
    strip_accents: Option<bool>,
    #[serde(default = "yes")]
    lowercase: bool,
}

/// A part of which only the kind matters, or one of the two post-processors that put special tokens around a text.
#[derive(Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    cls: Option<(String, u32)>,
    sep: Option<(String, u32)>,
    #[serde(default)]
    single: Vec<TemplatePart>,
    #[serde(default)]
    special_tokens: HashMap<String, TemplateToken>,
}

#[derive(Deserialize)]
enum TemplatePart {
    SpecialToken { id: String },
    Sequence {},
}

#[derive(Deserialize)]
struct TemplateToken {
    ids: Vec<u32>,
}

#[derive(Deserialize)]
struct Model<'a> {
    #[serde(rename = "type", default = "word_piece")]
    kind: String,
    unk_token: Option<String>,
    continuing_subword_prefix: Option<String>,
    max_input_chars_per_word: Option<usize>,
    #[serde(borrow, default)]
    vocab: Vocabulary<'a>,
}

/// The entries as they lie in the file: there are tens of thousands, and a tree of them would cost megabytes that
/// allocators keep. Empty if it is a list, as other kinds of tokenizers have.
#[derive(Default)]
struct Vocabulary<'a>(Vec<(Cow<'a, str>, u32)>);

/// A string that is borrowed unless it has escapes.
#[derive(Deserialize)]
struct Entry<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Vocabulary<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Vocabulary<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map of entries to numbers")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut all = Vec::new();
                while let Some((Entry(entry), token)) = map.next_entry()? {
                    all.push((entry, token));
                }
                Ok(Vocabulary(all))
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Self::Value, S::Error> {
                while list.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                Ok(Vocabulary::default())
            }
        }
        from.deserialize_any(Entries)
    }
}

impl Vocabulary<'_> {
    fn token(&self, name: &str) -> Result<u32, TokenizerError> {
        let found = self.0.iter().find(|(entry, _)| entry == name);
        found.map(|(_, token)| *token).ok_or_else(|| TokenizerError::Missing(name.into()))
    }
}

fn yes() -> bool {
    true
}

fn word_piece() -> String {
    "WordPiece".into()
}

fn known(part: &'static str, found: &str, known: &'static str) -> Result<(), TokenizerError> {
    if found == known { Ok(()) } else { Err(TokenizerError::Unknown { part, found: found.into(), known }) }
}

pub(super) fn from_json(json: &[u8]) -> Result<Tokenizer, TokenizerError> {
    let file: File = serde_json::from_slice(json)?;
    let rules = match &file.normalizer {
        None => Rules { clean: false, space_chinese: false, strip_accents: false, lowercase: false },
        Some(n) => {
            known("normalizer", &n.kind, "BertNormalizer")?;
            Rules {
                clean: n.clean_text,
                space_chinese: n.handle_chinese_chars,
                strip_accents: n.strip_accents.unwrap_or(n.lowercase),
                lowercase: n.lowercase,
            }
        }
    };
    known("pre_tokenizer", file.pre_tokenizer.as_ref().map_or("none", |p| &p.kind), "BertPreTokenizer")?;
    known("model", &file.model.kind, "WordPiece")?;
    let vocab = file.model.vocab;
    let (start, end) = around(file.post_processor.as_ref(), &vocab)?;
    let unknown = vocab.token(file.model.unk_token.as_deref().unwrap_or("[UNK]"))?;
    let prefix = file.model.continuing_subword_prefix.as_deref().unwrap_or("##");
    let longest = file.model.max_input_chars_per_word.unwrap_or(LONGEST_WORD);
    Ok(Tokenizer { rules, pieces: WordPiece::new(&vocab.0, prefix, unknown, longest), start, end })
}

pub(super) fn from_vocab(vocab: &[u8], lowercase: bool) -> Result<Tokenizer, TokenizerError> {
    let lines = std::str::from_utf8(vocab)?.lines();
    let vocab = Vocabulary(lines.zip(0..).map(|(line, n)| (line.trim_end().into(), n)).collect());
    let (start, end) = around(None, &vocab)?;
    let unknown = vocab.token("[UNK]")?;
    let rules = Rules { clean: true, space_chinese: true, strip_accents: lowercase, lowercase };
    Ok(Tokenizer { rules, pieces: WordPiece::new(&vocab.0, "##", unknown, LONGEST_WORD), start, end })
}

/// The tokens before and after every text.
fn around(post: Option<&Part>, vocab: &Vocabulary<'_>) -> Result<(u32, u32), TokenizerError> {
    const KNOWN: &str = "TemplateProcessing of one token, the text, one token; or BertProcessing";
    let Some(post) = post else { return Ok((vocab.token("[CLS]")?, vocab.token("[SEP]")?)) };
    let other = || TokenizerError::Unknown { part: "post_processor", found: post.kind.clone(), known: KNOWN };
    match (post.kind.as_str(), post.single.as_slice()) {
        ("BertProcessing", _) => match (&post.cls, &post.sep) {
            (Some((_, cls)), Some((_, sep))) => Ok((*cls, *sep)),
            _ => Err(other()),
        },
        (
            "TemplateProcessing",
            [
                TemplatePart::SpecialToken { id: start },
                TemplatePart::Sequence {},
                TemplatePart::SpecialToken { id: end },
            ],
        ) => {
            let one = |id: &String| match post.special_tokens.get(id).map(|t| t.ids.as_slice()) {
                Some([token]) => Ok(*token),
                _ => Err(other()),
            };
            Ok((one(start)?, one(end)?))
        }
        _ => Err(other()),
    }
}
