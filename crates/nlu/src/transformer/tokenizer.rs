//! `tokenizer.json` of any kind, through Hugging Face's own crate: normalisers, pre-tokenizers, models and templates as they are.
//!
//! As with the own tokenizer ([`crate::tokenizer`]), a visitor who types `</s>` never gets the token of that name, and only the
//! first characters of a text are read.

use std::{
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde::Deserialize;
use tokenizers::{
    NormalizerWrapper, TruncationParams,
    normalizers::{Sequence, utils::Lowercase},
};

use crate::{encoder::EncodeError, model::ModelError, tokenizer::MAX_CHARS};

/// A tokenizer. Immutable; share it.
#[derive(Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    most: usize,
    /// Tokens that stand around texts and never in them. SentencePiece's are pieces of its vocabulary like all others.
    controls: HashSet<u32>,
}

/// Of the file what the crate keeps to itself: which token stands for what has none.
#[derive(Deserialize)]
struct Definition {
    model: Model,
}

#[derive(Deserialize)]
struct Model {
    unk_id: Option<u32>,
    unk_token: Option<String>,
}

impl Tokenizer {
    /// Reads the definition `json` of the file `name`. Texts get at most `most` tokens, with those around them; padding and
    /// truncation fixed in the file are ignored. `lowercase`: before all other rules.
    ///
    /// # Errors
    /// Not a tokenizer, or one that puts no tokens around a text, or as many as a text may have.
    pub fn read(json: &[u8], name: &str, most: usize, lowercase: bool) -> Result<Self, ModelError> {
        let broken = |why: String| ModelError::Broken { file: name.into(), why };
        let Definition { model } = serde_json::from_slice(json).map_err(|e| broken(e.to_string()))?;
        let read = || tokenizers::Tokenizer::from_bytes(json);
        let mut inner = guarded(read).map_err(&broken)?;
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|e| broken(e.to_string()))?;
        inner.set_encode_special_tokens(true);
        if lowercase {
            let mut rules = vec![NormalizerWrapper::Lowercase(Lowercase)];
            rules.extend(inner.get_normalizer().cloned());
            inner.with_normalizer(Some(Sequence::new(rules))).map_err(|e| broken(e.to_string()))?;
        }
        let around = guarded(|| inner.encode_fast("", true)).map_err(&broken)?.len();
        if around == 0 {
            return Err(broken(
                "its post_processor puts no token around a text, so an empty one would have no vector".into(),
            ));
        }
        // the crate subtracts these two
        if around >= most {
            return Err(broken(format!("its post_processor puts {around} tokens around a text of at most {most}")));
        }
        let truncation = TruncationParams { max_length: most, ..TruncationParams::default() };
        inner.with_truncation(Some(truncation)).map_err(|e| broken(e.to_string()))?;
        let unknown = model.unk_id.or_else(|| inner.token_to_id(model.unk_token.as_deref()?));
        let special = inner.get_added_tokens_decoder().into_iter().filter(|(id, t)| t.special && Some(*id) != unknown);
        let controls = special.map(|(id, _)| id).collect();
        Ok(Self { inner, most, controls })
    }

    /// Tokens of the vocabulary, with those that were added.
    pub fn size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// Most tokens of a text, with those around it.
    pub fn most(&self) -> usize {
        self.most
    }

    /// The tokens of `text` and those around it.
    ///
    /// # Errors
    /// The definition has no token for a part of it.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, EncodeError> {
        let end = text.char_indices().nth(MAX_CHARS).map_or(text.len(), |(at, _)| at);
        let encode = || self.inner.encode_fast(&text[..end], true);
        let tokens = guarded(encode).map_err(EncodeError::Tokenizer)?;
        let around = tokens.get_special_tokens_mask();
        let kept = |(id, around): (&u32, &u32)| (*around == 1 || !self.controls.contains(id)).then_some(*id);
        Ok(tokens.get_ids().iter().zip(around).filter_map(kept).collect())
    }
}

/// Runs the crate on files and texts that nobody checked. It unwraps in places, as for a damaged `decoder`; there is an error instead.
fn guarded<T>(run: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result.map_err(|e| e.to_string()),
        Err(_) => Err("the tokenizers library failed on it".into()),
    }
}
