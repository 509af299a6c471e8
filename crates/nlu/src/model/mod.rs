//! A model: read from a directory or from the executable, checked, packed for this processor.
//!
//! Nothing here runs a model; that is [`super::Encoder`].

mod config;
mod error;
mod files;
mod quantise;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod weights;

use std::path::Path;

pub use config::{Config, Pooling};
pub use error::ModelError;
pub use files::{FILES, Files, TokenizerFile, embedded_intents};
pub use quantise::Codes;
pub use weights::{LayerWeights, Linear, Norm, Weights};

use super::{
    kernel::{self, Affine, Kernel, Packed},
    tokenizer::Tokenizer,
};

/// A model ready to run. Immutable; share it by `Arc` and give each thread an [`super::Encoder`].
#[derive(Debug)]
pub struct Model {
    pub(super) config: Config,
    pub(super) tokenizer: Tokenizer,
    pub(super) kernel: &'static dyn Kernel,
    pub(super) tables: Tables,
    pub(super) layers: Vec<Layer>,
    prefix: String,
}

/// The packed weights of one layer.
#[derive(Debug)]
pub(super) struct Layer {
    pub qkv: Packed,
    pub out: Packed,
    pub norm: Affine,
    pub up: Packed,
    pub down: Packed,
    pub last_norm: Affine,
}

/// What turns tokens into the first hidden states.
#[derive(Debug)]
pub(super) struct Tables {
    /// As it is stored: only the rows of a text are looked at.
    pub words: Codes<'static>,
    pub positions: Vec<f32>,
    pub norm: Affine,
    pub project: Option<Packed>,
}

impl Model {
    /// The model inside the executable; `None` if it was built without (`--no-default-features`).
    ///
    /// # Errors
    /// The embedded files don't fit each other: a fault of the build.
    pub fn embedded() -> Result<Option<Self>, ModelError> {
        Files::embedded().map(|files| Self::new(files, kernel::best())).transpose()
    }

    /// The model in a directory as Hugging Face lays it out: `config.json`, `tokenizer.json` or `vocab.txt`,
    /// `model.safetensors`, and `1_Pooling/config.json` if there is one.
    ///
    /// # Errors
    /// What is missing, of another kind, or damaged, by name.
    pub fn open(dir: &Path) -> Result<Self, ModelError> {
        Self::new(Files::open(dir)?, kernel::best())
    }

    /// The model of `files`, packed for `kernel`.
    ///
    /// # Errors
    /// As [`Model::open`].
    pub fn new(files: Files, kernel: &'static dyn Kernel) -> Result<Self, ModelError> {
        let (config, tokenizer, weights) = files.read()?;
        let pack = |l: &Linear<'_>| packed(std::slice::from_ref(l), kernel.offset());
        let affine = |n: &Norm| Affine::new(&n.gain, &n.bias, config.epsilon);
        let layers = weights.layers.iter().map(|l| Layer {
            qkv: packed(&l.qkv, kernel.offset()),
            out: pack(&l.out),
            norm: affine(&l.norm),
            up: pack(&l.up),
            down: pack(&l.down),
            last_norm: affine(&l.last_norm),
        });
        let layers = layers.collect();
        let (norm, project) = (affine(&weights.norm), weights.project.as_ref().map(pack));
        let tables = Tables { words: weights.words.into_owned(), positions: weights.positions, norm, project };
        Ok(Self { config, tokenizer, kernel, tables, layers, prefix: String::new() })
    }

    /// The same with a prefix, such as `query: `, that is read before every text.
    #[must_use]
    pub fn with_prefix(self, prefix: String) -> Self {
        Self { prefix, ..self }
    }

    /// What is read before every text.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Its shape.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Its tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Name of the kernel it is packed for.
    pub fn kernel(&self) -> &'static str {
        self.kernel.name()
    }

    /// Its layers.
    pub fn layers(&self) -> usize {
        self.layers.len()
    }

    /// Numbers in a sentence vector.
    pub fn width(&self) -> usize {
        self.config.hidden
    }

    /// Longest text in tokens, with the two around it.
    pub fn max_tokens(&self) -> usize {
        self.config.positions.min(super::MAX_TOKENS)
    }

    /// The tokens of `text` that the model reads, behind its prefix. Wide letters and digits are read as the others.
    pub fn tokens(&self, text: &str) -> Vec<u32> {
        let text = super::compat::for_model(text);
        if self.prefix.is_empty() {
            self.tokenizer.encode(&text, self.max_tokens())
        } else {
            self.tokenizer.encode(&format!("{}{text}", self.prefix), self.max_tokens())
        }
    }
}

/// Linear maps of the same row, one below the other, as one.
fn packed(all: &[Linear<'_>], offset: u8) -> Packed {
    let mut packed = Packed::empty(all.first().map_or(0, |l| l.codes.columns), offset);
    packed.reserve(all.iter().map(|l| l.bias.len()).sum());
    let mut row = Vec::new();
    for linear in all {
        for (n, bias) in linear.bias.iter().enumerate() {
            let scale = linear.codes.row(n, &mut row);
            packed.push(&row, scale, *bias);
        }
    }
    packed
}
