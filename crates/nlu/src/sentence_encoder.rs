//! What runs a model, whichever it is: the trait, and how vectors of single texts come from it.

use super::{
    embed::{Embed, EmbedError, Fingerprint},
    encoder::{EncodeError, Encoder},
};

/// Runs a model: one per thread.
pub trait SentenceEncoder: Send {
    /// Numbers in a vector.
    fn width(&self) -> usize;

    /// The tokens of a text that the model reads.
    ///
    /// # Errors
    /// The tokenizer has none for a part of it.
    fn tokens(&self, text: &str) -> Result<Vec<u32>, EncodeError>;

    /// The vectors of several texts, each of length 1, one after the other.
    ///
    /// # Errors
    /// See [`EncodeError`]; then none has a vector.
    fn encode_batch(&mut self, texts: &[Vec<u32>]) -> Result<&[f32], EncodeError>;

    /// The model's, where it is known without running it.
    fn fingerprint(&self) -> Option<Fingerprint> {
        None
    }
}

impl SentenceEncoder for Encoder {
    fn width(&self) -> usize {
        self.model().width()
    }

    fn tokens(&self, text: &str) -> Result<Vec<u32>, EncodeError> {
        Ok(self.model().tokens(text))
    }

    fn encode_batch(&mut self, texts: &[Vec<u32>]) -> Result<&[f32], EncodeError> {
        Encoder::encode_batch(self, texts)
    }
}

impl Embed for Box<dyn SentenceEncoder> {
    fn width(&self) -> usize {
        (**self).width()
    }

    fn embed(&mut self, text: &str) -> Result<Vec<f32>, EmbedError> {
        let tokens = self.tokens(text)?;
        Ok(self.encode_batch(&[tokens])?.to_vec())
    }

    fn fingerprint(&self) -> Option<Fingerprint> {
        (**self).fingerprint()
    }
}
