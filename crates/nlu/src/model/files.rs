//! The files of a model: found, not yet understood.

#[cfg(any(model_embedded, head_embedded))]
use std::io::Read as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::{Config, ModelError, Weights};
use crate::tokenizer::Tokenizer;

/// The files that a model may have, as Hugging Face lays them out. Others in the directory are not read.
pub const FILES: [&str; 6] = [
    "config.json",
    "tokenizer.json",
    "vocab.txt",
    "tokenizer_config.json",
    "model.safetensors",
    "1_Pooling/config.json",
];

/// The contents of a model's files.
#[derive(Clone, Debug)]
pub struct Files {
    /// `config.json`.
    pub config: Bytes,
    /// `1_Pooling/config.json`.
    pub pooling: Option<Bytes>,
    /// `tokenizer.json`, or else `vocab.txt`.
    pub tokenizer: TokenizerFile,
    /// `model.safetensors`.
    pub weights: Bytes,
}

/// Either definition of a tokenizer.
#[derive(Clone, Debug)]
pub enum TokenizerFile {
    /// `tokenizer.json`.
    Json(Bytes),
    /// `vocab.txt`, and whether text is lowercased (`do_lower_case` of `tokenizer_config.json`, true if it isn't there).
    Vocab(Bytes, bool),
}

impl Files {
    /// Reads the files of a directory.
    ///
    /// # Errors
    /// A file that must be there can't be read.
    pub fn open(dir: &Path) -> Result<Self, ModelError> {
        let tokenizer = match optional(&dir.join("tokenizer.json"))? {
            Some(json) => TokenizerFile::Json(json),
            None => match optional(&dir.join("vocab.txt"))? {
                Some(vocab) => TokenizerFile::Vocab(vocab, lowercase(dir)?),
                None => TokenizerFile::Json(file(dir.join("tokenizer.json"))?),
            },
        };
        Ok(Self {
            config: file(dir.join("config.json"))?,
            pooling: optional(&dir.join("1_Pooling").join("config.json"))?,
            tokenizer,
            weights: file(dir.join("model.safetensors"))?,
        })
    }

    /// The files inside the executable, if it was built with them: compressed by `build.rs`, which saves less of the weights
    /// than of the rest, but half a megabyte.
    pub fn embedded() -> Option<Self> {
        #[cfg(model_embedded)]
        {
            macro_rules! model {
                ($name:literal) => {
                    inflated(include_bytes!(concat!(env!("OUT_DIR"), "/model/", $name, ".gz")))
                };
            }
            Some(Self {
                config: model!("config.json"),
                pooling: Some(model!("pooling.json")),
                tokenizer: TokenizerFile::Json(model!("tokenizer.json")),
                weights: model!("model.safetensors"),
            })
        }
        #[cfg(not(model_embedded))]
        None
    }

    /// Understands the files, and checks that they belong together.
    ///
    /// # Errors
    /// What is missing, of another kind, or damaged, by name.
    pub fn read(&self) -> Result<(Config, Tokenizer, Weights<'_>), ModelError> {
        let config = Config::read(&self.config, self.pooling.as_deref())?;
        let tokenizer = match &self.tokenizer {
            TokenizerFile::Json(json) => Tokenizer::from_json(json)?,
            TokenizerFile::Vocab(vocab, lowercase) => Tokenizer::from_vocab(vocab, *lowercase)?,
        };
        if tokenizer.size() > config.vocabulary {
            return Err(ModelError::Vocabulary { tokens: tokenizer.size(), rows: config.vocabulary });
        }
        let weights = Weights::read(&config, &self.weights)?;
        Ok((config, tokenizer, weights))
    }
}

/// The classifier of the intents that kefu ships (`head.bin`), if it was built with it.
pub fn embedded_intents() -> Option<Bytes> {
    #[cfg(head_embedded)]
    {
        Some(inflated(include_bytes!(concat!(env!("OUT_DIR"), "/model/head.bin.gz"))))
    }
    #[cfg(not(head_embedded))]
    None
}

/// A file that `build.rs` compressed, in memory of its own: megabytes that are read once, which an allocator would keep.
#[cfg(any(model_embedded, head_embedded))]
#[expect(
    clippy::expect_used,
    reason = "without memory for the model nothing starts, and the build wrote the file itself"
)]
fn inflated(gz: &[u8]) -> Bytes {
    // a gzip file ends with the size of what is in it
    let size = gz.last_chunk().map_or(0, |size| u32::from_le_bytes(*size));
    let mut plain = memmap2::MmapMut::map_anon(size as usize).expect("memory for the model");
    flate2::read::GzDecoder::new(gz).read_exact(&mut plain).expect("a whole file");
    Bytes::from_owner(plain)
}

fn file(path: PathBuf) -> Result<Bytes, ModelError> {
    std::fs::read(&path).map(Bytes::from).map_err(|source| ModelError::File { path, source })
}

fn optional(path: &Path) -> Result<Option<Bytes>, ModelError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes.into())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ModelError::File { path: path.into(), source }),
    }
}

fn lowercase(dir: &Path) -> Result<bool, ModelError> {
    #[derive(serde::Deserialize)]
    struct File {
        do_lower_case: Option<bool>,
    }
    const NAME: &str = "tokenizer_config.json";
    let Some(text) = optional(&dir.join(NAME))? else { return Ok(true) };
    let file: File = serde_json::from_slice(&text).map_err(|source| ModelError::Json { file: NAME.into(), source })?;
    Ok(file.do_lower_case.unwrap_or(true))
}
