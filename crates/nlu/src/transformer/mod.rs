//! Any sentence encoder in the usual Hugging Face layout, by Candle in f32: what companies bring when the built-in model
//! isn't theirs.
//!
//! ```text
//!   text ──[tokenizer.json]──► tokens ──[network: Candle's BERT or XLM-RoBERTa]──► states ──[pooling, dense]──► vector
//! ```
//!
//! It takes several times as long as the 8-bit path of [`crate::model`], which serves the built-in model and the BERTs that
//! it can take; [`crate::sentence`] chooses between the two. Texts run one by one: without padding there is no mask, and a
//! vector doesn't depend on what else is asked.

mod config;
mod network;
mod pooling;
#[cfg(test)]
mod tests;
mod tokenizer;
mod weights;

use std::{fmt, sync::Arc};

pub use config::{Architecture, Config};
use network::Network;
use pooling::PoolingHead;
use tokenizer::Tokenizer;
use weights::Weights;

use crate::{
    compat,
    embed::Fingerprint,
    encoder::EncodeError,
    layout::{Directory, Layout, Pooling, field},
    model::ModelError,
    sentence_encoder::SentenceEncoder,
};

/// Tokens of one text that are read, whatever a model could: attention needs memory by the square of it, and a visitor's
/// message has 4,096 characters at most.
pub const MAX_TOKENS: usize = 512;

/// A model ready to run. Immutable; share it by `Arc` and give each thread a [`TransformerEncoder`].
pub struct Transformer {
    config: Config,
    tokenizer: Tokenizer,
    network: Network,
    head: PoolingHead,
    prefix: String,
    fingerprint: Fingerprint,
}

impl Transformer {
    /// Reads the model that `layout` describes; gives also the files that it is made of.
    ///
    /// # Errors
    /// What is missing, of another kind, or damaged, by file and field.
    pub fn read(dir: Directory, layout: &Layout) -> Result<(Self, Vec<String>), ModelError> {
        let folder = &layout.encoder;
        let config = Config::read(&dir, &format!("{folder}config.json"))?;
        let most = config.longest().min(layout.max_tokens.unwrap_or(MAX_TOKENS)).min(MAX_TOKENS);
        let name = format!("{folder}tokenizer.json");
        let tokenizer = Tokenizer::read(&definition(&dir, folder, &name)?, &name, most, layout.lowercase)?;
        if tokenizer.size() > config.vocabulary {
            let known = format!("at least the {} tokens of {name}", tokenizer.size());
            return Err(field(&format!("{folder}config.json"), "vocab_size", config.vocabulary, known));
        }
        let weights = Weights::open(&dir, folder)?;
        let network = Network::load(&config, &weights)?;
        drop(weights);
        let head = PoolingHead::load(&dir, layout.pooling, &layout.dense, config.hidden)?;
        dir.note(layout.prefix.as_bytes());
        let (files, hash) = dir.finish();
        let mut short = [0; 16];
        short.copy_from_slice(&hash[..16]);
        let (prefix, fingerprint) = (layout.prefix.clone(), Fingerprint(short));
        Ok((Self { config, tokenizer, network, head, prefix, fingerprint }, files))
    }

    /// Its shape.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How states become one vector.
    pub fn pooling(&self) -> Pooling {
        self.head.pooling()
    }

    /// Numbers in a sentence vector.
    pub fn width(&self) -> usize {
        self.head.width()
    }

    /// Longest text in tokens, with those around it and the prefix.
    pub fn max_tokens(&self) -> usize {
        self.tokenizer.most()
    }

    /// What is read before every text.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Of its files and its prefix. Unlike that of the 8-bit path it isn't made from vectors: products in f32 differ in
    /// their last bits between processors.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The tokens of `text` that the model reads, behind its prefix. Wide letters and digits are read as the others.
    ///
    /// # Errors
    /// The tokenizer has no token for a part of it.
    pub fn tokens(&self, text: &str) -> Result<Vec<u32>, EncodeError> {
        let text = compat::for_model(text);
        if self.prefix.is_empty() {
            self.tokenizer.encode(&text)
        } else {
            self.tokenizer.encode(&format!("{}{text}", self.prefix))
        }
    }

    fn vector(&self, tokens: &[u32]) -> Result<Vec<f32>, EncodeError> {
        let most = self.max_tokens();
        if tokens.is_empty() || tokens.len() > most {
            return Err(EncodeError::Length { tokens: tokens.len(), most });
        }
        let vocabulary = self.config.vocabulary;
        if let Some(token) = tokens.iter().find(|t| **t as usize >= vocabulary) {
            return Err(EncodeError::Token { token: *token, vocabulary });
        }
        Ok(self.head.vector(&self.network.hidden_states(tokens)?)?)
    }
}

impl fmt::Debug for Transformer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transformer")
            .field("config", &self.config)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// The definition of the tokenizer. Where there is none but an older form of it, how to get one is said.
fn definition(dir: &Directory, folder: &str, name: &str) -> Result<Vec<u8>, ModelError> {
    const OLDER: [&str; 4] = ["sentencepiece.bpe.model", "spiece.model", "vocab.json", "vocab.txt"];
    match (dir.optional(name)?, OLDER.iter().find(|old| dir.has(&format!("{folder}{old}")))) {
        (Some(json), _) => Ok(json),
        (None, Some(old)) => Err(ModelError::Broken {
            file: format!("{folder}{old}"),
            why: "such a model needs tokenizer.json. Make it in Python: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)".into(),
        }),
        (None, None) => dir.required(name),
    }
}

/// A model with threads to run it.
pub struct TransformerEncoder {
    model: Arc<Transformer>,
    // Candle's products run on the pool that they are called from; without one of its own, every encoder would use all processors
    pool: rayon::ThreadPool,
    vectors: Vec<f32>,
}

impl TransformerEncoder {
    /// An encoder on so many threads.
    ///
    /// # Errors
    /// No threads.
    pub fn new(model: Arc<Transformer>, threads: usize) -> Result<Self, EncodeError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).thread_name(|n| format!("encoder-{n}"));
        let pool = pool.build().map_err(|e| EncodeError::Threads(e.to_string()))?;
        Ok(Self { model, pool, vectors: Vec::new() })
    }
}

impl SentenceEncoder for TransformerEncoder {
    fn width(&self) -> usize {
        self.model.width()
    }

    fn tokens(&self, text: &str) -> Result<Vec<u32>, EncodeError> {
        self.model.tokens(text)
    }

    fn encode_batch(&mut self, texts: &[Vec<u32>]) -> Result<&[f32], EncodeError> {
        self.vectors.clear();
        for tokens in texts {
            let model = &self.model;
            self.vectors.extend(self.pool.install(|| model.vector(tokens))?);
        }
        Ok(&self.vectors)
    }

    fn fingerprint(&self) -> Option<Fingerprint> {
        Some(self.model.fingerprint())
    }
}
