//! The language model: text in, sentence vector out. It knows BERT encoders and processors, nothing of chats.
//!
//! ```text
//!   text ──[tokenizer]──► tokens ──[encoder: layers of 8-bit kernels]──► vector of length 1
//! ```
//!
//! - [`tokenizer`]: BERT's WordPiece, equal to Hugging Face's.
//! - [`model`]: reads a directory in the Hugging Face layout, or the one embedded in the executable; packs the weights.
//! - [`encoder`]: one sentence, or several in one pass, through the layers. Each layer is a Candle in-place op (`layer`).
//! - [`kernel`]: the arithmetic, once per instruction set, with equal bits on all of them. A crate of its own.
//! - [`mod@reference`]: the same model by plain Candle in f32, which the fast path is tested against.
//! - [`intent`]: what a text wants, learned from examples. [`knowledge`]: which stored question it asks.
//! - [`compat`]: one form for wide and narrow letters, before anything is read or compared.
//! - [`embed`], [`vectors`], [`text_file`], [`encoding`], [`table`]: what the two share.
//! - [`service`]: one thread with a bounded queue that encodes for everyone else.
//!
//! # Threads
//! Candle's own matrix products would start a pool of spinning threads. The executable never calls them: of Candle it uses
//! the file reader, the tensor, and the hook for ops of one's own, none of which start threads. So there is no
//! `RAYON_NUM_THREADS` to set; only [`mod@reference`], for tests and benches, runs Candle's products.

#![forbid(unsafe_code)]

pub mod compat;
pub mod embed;
pub mod encoder;
pub mod encoding;
pub mod intent;
pub mod knowledge;
mod layer;
pub mod layout;
pub mod model;
pub mod reference;
pub mod sentence;
pub mod service;
pub mod table;
pub mod text_file;
pub mod tokenizer;
pub mod transformer;
pub mod vectors;

pub use encoder::Encoder;
pub use kefu_kernel as kernel;
pub use model::{Model, ModelError};
pub use sentence::SentenceModel;
pub use service::Recogniser;
pub use tokenizer::Tokenizer;

/// Tokens of one text that are read, with the two around it. The model is trained on this length.
pub const MAX_TOKENS: usize = 128;
