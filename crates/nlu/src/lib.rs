//! The language model: text in, sentence vector out. It knows encoders and processors, nothing of chats.
//!
//! ```text
//!   text ──[tokenizer]──► tokens ──[encoder: layers of 8-bit kernels]──► vector of length 1
//! ```
//!
//! - [`sentence`]: what everybody else asks for vectors: a model, whichever of the two ways it runs.
//! - [`sentence_encoder`]: what both ways offer.
//! - [`transformer`]: the other way: any encoder that a company brings, by Candle in f32. [`layout`]: what its directory says.
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
//! The 8-bit path starts none: of Candle it uses the file reader, the tensor, and the hook for ops of one's own. The products of
//! [`transformer`] run on the few threads of each encoder. For tensors of 65,536 numbers and more Candle also has a pool that spins
//! while it waits; `CANDLE_NUM_THREADS=1`, which kefu's service and image set, leaves it empty. It is read from the environment
//! only, which a program can't change in safe Rust.

#![forbid(unsafe_code)]

pub mod compat;
pub mod embed;
pub mod encoder;
pub mod intent;
pub mod knowledge;
mod layer;
pub mod layout;
pub mod model;
pub mod reference;
pub mod sentence;
pub mod sentence_encoder;
pub mod service;
pub mod tokenizer;
pub mod transformer;
pub mod vectors;

pub use kefu_sheet::{encoding, table, text_file};

pub use encoder::Encoder;
pub use kefu_kernel as kernel;
pub use model::{Model, ModelError};
pub use sentence::SentenceModel;
pub use service::EncoderService;
pub use tokenizer::Tokenizer;

/// Tokens of one text that are read, with the two around it. The model is trained on this length.
pub const MAX_TOKENS: usize = 128;
