//! Vectors of questions, kept between starts: a model is run once for each question, not once for each start.

use std::{collections::HashMap, path::Path};

use sha2::{Digest as _, Sha256};

use super::KnowledgeBase;
use crate::{
    embed::{Embed, EmbedError, Fingerprint, embed_all},
    vectors::Rows,
};
use kefu_files::replace;

const MARK: &[u8; 8] = b"KEFUVEC1";

type Key = [u8; 16];

/// Vectors by the text they are of.
#[derive(Clone, Debug, PartialEq)]
pub struct Cache {
    fingerprint: Fingerprint,
    rows: Rows,
    places: HashMap<Key, u32>,
}

impl Cache {
    /// An empty one for a model.
    pub fn new(fingerprint: Fingerprint, width: usize) -> Self {
        Self { fingerprint, rows: Rows::new(width), places: HashMap::new() }
    }

    /// Reads the file. A missing or damaged one, or one of another model, is an empty cache: it only costs time.
    pub fn load(path: &Path, fingerprint: Fingerprint, width: usize) -> Self {
        let read = std::fs::read(path).ok().and_then(|bytes| Self::from_bytes(&bytes));
        read.filter(|c| c.fingerprint == fingerprint && c.width() == width)
            .unwrap_or_else(|| Self::new(fingerprint, width))
    }

    /// Writes the file.
    ///
    /// # Errors
    /// An I/O error.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        replace(path, 0o600, &self.to_bytes())
    }

    /// Numbers in a vector.
    pub fn width(&self) -> usize {
        self.rows.width()
    }

    /// The vector of a text, as it is stored.
    pub fn get(&self, text: &str) -> Option<(Vec<i8>, f32)> {
        self.places.get(&key(text)).map(|n| self.rows.row(*n as usize))
    }

    /// Whether the vectors that `book` needs are all here.
    pub fn covers(&self, book: &KnowledgeBase) -> bool {
        book.entries.values().flat_map(super::Entry::phrases).all(|phrase| self.places.contains_key(&key(phrase)))
    }

    /// Makes the vectors that `book` needs and are not here, and forgets those that it doesn't need. Gives whether anything
    /// changed. `progress` hears how many of how many are made.
    ///
    /// # Errors
    /// The model failed.
    pub fn fill(
        &mut self,
        book: &KnowledgeBase,
        workers: &mut [Box<dyn Embed>],
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<bool, EmbedError> {
        let mut kept = Self::new(self.fingerprint, self.width());
        let mut missing: Vec<&str> = Vec::new();
        let mut asked = std::collections::HashSet::new();
        for phrase in book.entries.values().flat_map(super::Entry::phrases) {
            if !asked.insert(key(phrase)) {
                continue;
            }
            match self.get(phrase) {
                Some((codes, scale)) => {
                    kept.places.insert(key(phrase), kept.rows.len() as u32);
                    kept.rows.push_row(&codes, scale);
                }
                None => missing.push(phrase),
            }
        }
        if missing.is_empty() && kept.places.len() == self.places.len() {
            return Ok(false);
        }
        if !missing.is_empty() {
            let vectors = embed_all(workers, &missing, &mut |done| progress(done, missing.len()))?;
            for (phrase, vector) in missing.iter().zip(vectors.chunks_exact(self.width().max(1))) {
                kept.places.insert(key(phrase), kept.rows.len() as u32);
                kept.rows.push(vector);
            }
        }
        *self = kept;
        Ok(true)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let (codes, scales) = self.rows.parts();
        let mut keys = vec![[0; 16]; scales.len()];
        self.places.iter().for_each(|(key, n)| keys[*n as usize] = *key);
        let mut out = Vec::with_capacity(64 + keys.len() * 20 + codes.len());
        out.extend_from_slice(MARK);
        out.extend_from_slice(&self.fingerprint.0);
        out.extend_from_slice(&(self.width() as u32).to_le_bytes());
        keys.iter().for_each(|k| out.extend_from_slice(k));
        scales.iter().for_each(|s| out.extend_from_slice(&s.to_le_bytes()));
        out.extend(codes.iter().map(|c| c.to_le_bytes()[0]));
        out
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (fingerprint, rest) = bytes.strip_prefix(MARK)?.split_first_chunk::<16>()?;
        let (width, rest) = rest.split_first_chunk::<4>()?;
        let width = u32::from_le_bytes(*width) as usize;
        let each = width.checked_add(20)?;
        let count = rest.len() / each;
        if width == 0 || count * each != rest.len() {
            return None;
        }
        let (keys, rest) = rest.split_at(16 * count);
        let (scales, codes) = rest.split_at(4 * count);
        let scales: Vec<f32> = scales.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        let codes: Vec<i8> = codes.iter().map(|b| i8::from_le_bytes([*b])).collect();
        let rows = Rows::from_parts(width, &codes, &scales)?;
        let places = keys.chunks_exact(16).zip(0..).map(|(k, n)| (k.try_into().unwrap_or_default(), n)).collect();
        Some(Self { fingerprint: Fingerprint(*fingerprint), rows, places })
    }
}

fn key(text: &str) -> Key {
    let mut key = [0; 16];
    key.copy_from_slice(&Sha256::digest(text)[..16]);
    key
}

#[cfg(test)]
mod tests {
    use super::{super::Entry, *};
    use crate::embed::testing::*;

    fn book(questions: &[&str]) -> KnowledgeBase {
        let entry = |q: &&str| Entry { question: (*q).to_owned(), answer: "a".into(), ..Entry::default() };
        let mut book = KnowledgeBase::default();
        book.put_all(questions.iter().map(entry).collect());
        book
    }

    #[test]
    fn only_what_is_new_costs_the_model_anything() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("knowledge.vec");
        let print = Fingerprint([7; 16]);
        let mut cache = Cache::load(&path, print, 64);
        let mut made = 0;
        assert!(cache.fill(&book(&["a", "b"]), &mut bags(1), &mut |_, of| made = of).unwrap());
        cache.save(&path).unwrap();
        assert_eq!((made, &Cache::load(&path, print, 64)), (2, &cache));
        assert!(cache.covers(&book(&["b"])) && !cache.covers(&book(&["b", "c"])));
        assert!(!cache.fill(&book(&["b", "a"]), &mut bags(1), &mut |_, _| panic!("made again")).unwrap());
        assert!(cache.fill(&book(&["b", "c"]), &mut bags(1), &mut |_, of| made = of).unwrap());
        assert_eq!((made, cache.get("a"), cache.get("b").is_some()), (1, None, true));
        // another model, another width, a damaged file: empty, not wrong
        assert!(Cache::load(&path, Fingerprint([8; 16]), 64).get("a").is_none());
        assert!(Cache::load(&path, print, 32).get("a").is_none());
        let bytes = cache.to_bytes();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(Cache::load(&path, print, 64).get("b").is_none());
    }
}
