//! Runs a model: tokens in, sentence vectors of length 1 out.

use std::{cell::RefCell, sync::Arc};

use candle_core::{CpuStorage, DType, Device, Storage, Tensor};

use super::{
    kernel::{self, View},
    layer::{Embed, Scratch, Step},
    model::{Model, Pooling},
};

/// Why tokens have no vector. Tokens from the model's own tokenizer always have one.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// A text of no tokens, or of more than the model reads.
    #[error("a text has {tokens} tokens; the model reads 1 to {most}")]
    Length {
        /// How many it has.
        tokens: usize,
        /// How many can be read.
        most: usize,
    },
    /// A token that the model doesn't have.
    #[error("token {token} is not among the {vocabulary} of the model")]
    Token {
        /// The token.
        token: u32,
        /// How many there are.
        vocabulary: usize,
    },
    /// The tokenizer has no tokens for a part of a text.
    #[error("the tokenizer can't read a text: {0}")]
    Tokenizer(String),
    /// No threads to run on.
    #[error("no threads for the encoder: {0}")]
    Threads(String),
    /// Candle refused an op.
    #[error("the encoder failed: {0}")]
    Candle(#[from] candle_core::Error),
}

/// A model with the memory to run it: one per thread. Only a batch of more tokens than any before allocates.
#[derive(Debug)]
pub struct Encoder {
    model: Arc<Model>,
    /// Hidden states, as many rows as the largest batch so far, padded for the kernels.
    hidden: Tensor,
    scratch: Scratch,
    lengths: Vec<usize>,
    vectors: Vec<f32>,
}

impl Encoder {
    /// An encoder that has not run yet.
    ///
    /// # Errors
    /// Candle can't make a tensor.
    pub fn new(model: Arc<Model>) -> Result<Self, EncodeError> {
        // at once for the longest text: growing step by step leaves holes that allocators keep
        let mut scratch = Scratch::new(&model.config);
        scratch.reserve(model.max_tokens());
        let hidden = hidden(&model, model.max_tokens())?;
        Ok(Self { model, hidden, scratch, lengths: Vec::new(), vectors: Vec::new() })
    }

    /// The model it runs.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// The vector of one text.
    ///
    /// # Errors
    /// See [`EncodeError`].
    pub fn encode(&mut self, tokens: &[u32]) -> Result<&[f32], EncodeError> {
        self.encode_batch(&[tokens])
    }

    /// The vectors of several texts in one pass, one after the other in the result. The same bits as one by one; faster for
    /// short texts, because weights are read once. Memory grows with the sum of lengths.
    ///
    /// # Errors
    /// See [`EncodeError`]; then none has a vector.
    pub fn encode_batch<T: AsRef<[u32]>>(&mut self, texts: &[T]) -> Result<&[f32], EncodeError> {
        let model = Arc::clone(&self.model);
        self.lengths.clear();
        for text in texts {
            check(&model, text.as_ref())?;
            self.lengths.push(text.as_ref().len());
        }
        let rows = self.lengths.iter().sum();
        self.scratch.reserve(rows);
        if self.hidden.dim(0)? < rows {
            self.hidden = hidden(&model, rows)?;
        }
        self.hidden.inplace_op1(&Embed { model: &model, texts, scratch: RefCell::new(&mut self.scratch) })?;
        for layer in &model.layers {
            let (lengths, scratch) = (&self.lengths, RefCell::new(&mut self.scratch));
            self.hidden.inplace_op1(&Step { model: &model, layer, lengths, scratch })?;
        }
        self.pool()?;
        Ok(&self.vectors)
    }

    fn pool(&mut self) -> Result<(), EncodeError> {
        let (storage, layout) = self.hidden.storage_and_layout();
        let (width, (_, stride)) = (self.model.config.hidden, layout.shape().dims2()?);
        let Storage::Cpu(CpuStorage::F32(values)) = &*storage else {
            return Err(candle_core::Error::Msg("hidden states are on the CPU".into()).into());
        };
        let rows = View { values, width, stride };
        self.vectors.clear();
        self.vectors.resize(self.lengths.len() * width, 0.0);
        let mut first = 0;
        for (tokens, vector) in self.lengths.iter().zip(self.vectors.chunks_exact_mut(width)) {
            let pooled = match self.model.config.pooling {
                Pooling::Mean => *tokens,
                Pooling::First => 1,
            };
            for n in first..first + pooled {
                vector.iter_mut().zip(rows.row(n)).for_each(|(sum, x)| *sum += x);
            }
            normalise(vector);
            first += tokens;
        }
        Ok(())
    }
}

/// Hidden states for `rows` tokens.
fn hidden(model: &Model, rows: usize) -> Result<Tensor, EncodeError> {
    Ok(Tensor::zeros((rows, kernel::stride(model.config.hidden, 0)), DType::F32, &Device::Cpu)?)
}

fn check(model: &Model, tokens: &[u32]) -> Result<(), EncodeError> {
    let most = model.max_tokens();
    if tokens.is_empty() || tokens.len() > most {
        return Err(EncodeError::Length { tokens: tokens.len(), most });
    }
    let vocabulary = model.config.vocabulary;
    match tokens.iter().find(|t| **t as usize >= vocabulary) {
        Some(token) => Err(EncodeError::Token { token: *token, vocabulary }),
        None => Ok(()),
    }
}

/// Makes the length 1. (The mean's division by the number of tokens is part of it.) In order, not in lanes: it is short,
/// and the bits must be the same everywhere.
pub(crate) fn normalise(vector: &mut [f32]) {
    let length = vector.iter().fold(0f32, |sum, x| sum + x * x).sqrt();
    let factor = if length > 0.0 { 1.0 / length } else { 0.0 };
    vector.iter_mut().for_each(|x| *x *= factor);
}
