//! Text to token numbers: the BERT tokenizer of a Hugging Face `tokenizer.json` or of a `vocab.txt`.
//!
//! Own code instead of the `tokenizers` crate, which serves the models of [`crate::transformer`]: it is small enough that its cost
//! is known, and reads a file with errors that name its part. The crate is the oracle of the tests: same numbers, with two intended
//! differences. A visitor who types `[SEP]` gets five ordinary tokens, never the special one (the crate's `encode_special_tokens`),
//! and only the first 4,096 characters are read.
//!
//! `file` reads the definition, `text` is normalisation and splitting, `wordpiece` cuts a word into vocabulary entries.

mod file;
#[cfg(test)]
mod tests;
mod text;
mod wordpiece;

pub use file::TokenizerError;
use text::Rules;
use wordpiece::WordPiece;

/// Characters of a text that are looked at. 128 tokens are rarely more than 600 characters; what lies beyond this could
/// only matter after thousands of spaces, and a text of megabytes must not cost more than one of kilobytes.
pub const MAX_CHARS: usize = 4096;

/// A BERT tokenizer. Immutable; share it.
#[derive(Debug)]
pub struct Tokenizer {
    rules: Rules,
    pieces: WordPiece,
    start: u32,
    end: u32,
}

impl Tokenizer {
    /// Reads a `tokenizer.json` with BertNormalizer, BertPreTokenizer and WordPiece. Padding and truncation fixed in the
    /// file are ignored: lengths are the caller's business.
    ///
    /// # Errors
    /// Not JSON, another kind of tokenizer, or a special token that the vocabulary lacks.
    pub fn from_json(json: &[u8]) -> Result<Self, TokenizerError> {
        file::from_json(json)
    }

    /// Reads a `vocab.txt`: one entry per line, the line number is the token. `lowercase` also strips accents, as BERT's
    /// uncased models do.
    ///
    /// # Errors
    /// Not UTF-8, or `[CLS]`, `[SEP]`, `[UNK]` missing.
    pub fn from_vocab(vocab: &[u8], lowercase: bool) -> Result<Self, TokenizerError> {
        file::from_vocab(vocab, lowercase)
    }

    /// The tokens of `text` between `[CLS]` and `[SEP]`, at most `max` of them with those two. Any text has an answer: an
    /// empty one is `[CLS] [SEP]`. `max` below 2 counts as 2.
    pub fn encode(&self, text: &str, max: usize) -> Vec<u32> {
        let max = max.max(2);
        let mut tokens = Vec::with_capacity(max.min(64));
        tokens.push(self.start);
        let clean = self.rules.normalise(text);
        for word in text::words(&clean) {
            if tokens.len() >= max - 1 {
                break;
            }
            self.pieces.cut(word, &mut tokens);
        }
        tokens.truncate(max - 1);
        tokens.push(self.end);
        tokens
    }

    /// Number of the largest token plus one: the rows an embedding table needs.
    pub fn size(&self) -> usize {
        self.pieces.size().max(self.start as usize + 1).max(self.end as usize + 1)
    }
}
