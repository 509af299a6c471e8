//! Longest-match-first cutting of one word into vocabulary entries.

use std::{borrow::Cow, collections::HashMap};

/// Words longer than this, in characters, are unknown without a look, when the file doesn't say otherwise.
pub(super) const LONGEST_WORD: usize = 100;

#[derive(Debug)]
pub(super) struct WordPiece {
    /// Entries that begin a word.
    starts: HashMap<Box<str>, u32>,
    /// Entries that continue one, without their prefix (`##`).
    continuations: HashMap<Box<str>, u32>,
    /// Length in bytes of the longest entry of either kind: no longer piece is worth a look.
    longest_entry: usize,
    unknown: u32,
    longest_word: usize,
    size: usize,
}

impl WordPiece {
    pub(super) fn new(vocab: &[(Cow<'_, str>, u32)], prefix: &str, unknown: u32, longest_word: usize) -> Self {
        let (mut starts, mut continuations) = (HashMap::new(), HashMap::new());
        let (mut longest_entry, mut size) = (0, 0);
        for (entry, token) in vocab {
            size = size.max(*token as usize + 1);
            longest_entry = longest_entry.max(entry.len());
            if let Some(tail) = entry.strip_prefix(prefix) {
                continuations.insert(tail.into(), *token);
            }
            starts.insert(entry.as_ref().into(), *token);
        }
        Self { starts, continuations, longest_entry, unknown, longest_word, size }
    }

    /// Appends the tokens of `word`; the unknown token if any part of it has no entry.
    pub(super) fn cut(&self, word: &str, tokens: &mut Vec<u32>) {
        let before = tokens.len();
        if word.chars().count() > self.longest_word || !self.cut_whole(word, tokens) {
            tokens.truncate(before);
            tokens.push(self.unknown);
        }
    }

    fn cut_whole(&self, word: &str, tokens: &mut Vec<u32>) -> bool {
        let (mut rest, mut entries) = (word, &self.starts);
        while !rest.is_empty() {
            let longest = rest.floor_char_boundary(self.longest_entry);
            let ends = rest[..longest].char_indices().rev().map(|(at, c)| at + c.len_utf8());
            let found = ends.into_iter().find_map(|end| Some((end, *entries.get(&rest[..end])?)));
            let Some((end, token)) = found else { return false };
            tokens.push(token);
            rest = &rest[end..];
            entries = &self.continuations;
        }
        true
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }
}
