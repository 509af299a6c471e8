//! Why a model can't be used, in words for the person who chose the directory.

use std::path::PathBuf;

use crate::tokenizer::TokenizerError;

/// Why a model can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file is absent or unreadable.
    #[error("{path} can't be read: {source}. A model directory has config.json, tokenizer.json (or vocab.txt) and model.safetensors", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A JSON file lacks a key or has it in another form.
    #[error("{file} can't be read: {source}")]
    Json {
        /// `config.json` or another, as it is called in the directory.
        file: String,
        /// What is missing or wrong, with line and column.
        source: serde_json::Error,
    },
    /// The architecture is one this engine doesn't have.
    #[error("config.json: {key} is {found}; this engine runs {known}")]
    Unsupported {
        /// The key in config.json.
        key: &'static str,
        /// Its value.
        found: String,
        /// What would do.
        known: String,
    },
    /// A field of a file asks for what kefu doesn't have.
    #[error("{file}: {field} is {found}; supported: {known}")]
    Field {
        /// The file, as it is called in the directory.
        file: String,
        /// The key in it.
        field: String,
        /// Its value.
        found: String,
        /// What would do.
        known: String,
    },
    /// A file isn't what its name says, or doesn't fit the others.
    #[error("{file} can't be used: {why}")]
    Broken {
        /// The file, as it is called in the directory.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// model.safetensors isn't one.
    #[error("model.safetensors can't be read: {0}")]
    Weights(#[from] safetensors::SafeTensorError),
    /// A tensor is absent.
    #[error("model.safetensors has no {0}")]
    MissingTensor(String),
    /// A tensor has another shape than the configuration says.
    #[error("model.safetensors: {name} is {found:?}, config.json makes it {expected:?}")]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that follows from config.json.
        expected: Vec<usize>,
    },
    /// A tensor of numbers that aren't read.
    #[error("model.safetensors: {name} is {found}; F32, F16, BF16 can be read, I8 with a {name}_scale")]
    Type {
        /// The tensor.
        name: String,
        /// Its type.
        found: String,
    },
    /// NaN or infinity: a damaged file or a failed training.
    #[error("model.safetensors: {0} contains a number that is not finite")]
    NotFinite(String),
    /// Candle could not convert a tensor.
    #[error("model.safetensors: {name}: {source}")]
    Candle {
        /// The tensor.
        name: String,
        /// What Candle said.
        source: candle_core::Error,
    },
    /// The tokenizer.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// Tokenizer and weights are from different models.
    #[error("the tokenizer has {tokens} tokens, the embedding table {rows}: they are not of the same model")]
    Vocabulary {
        /// Largest token plus one.
        tokens: usize,
        /// Rows of the table.
        rows: usize,
    },
}
