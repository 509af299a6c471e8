//! Which entries answer a text: every phrase is compared by vector and by words, and the two are fused.

use std::collections::{BTreeMap, HashMap};

use super::{Book, Cache, Entry, words::Words};
use crate::ai::{text_file::folded, vectors::Rows};

/// Weight of the words in the sum with the cosine. A judgement, not yet a measurement.
const WORDS: f32 = 0.3;

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What the visitor wrote.
    pub text: &'a str,
    /// Its vector.
    pub vector: &'a [f32],
    /// Where.
    pub site: &'a str,
    /// On which day, `2026-01-31`.
    pub day: &'a str,
    /// Language of the visitor, `zh` or `en`; empty: any. Entries in another language count a little less.
    pub lang: &'a str,
}

/// An entry that may answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// The phrase of it that fits best.
    pub phrase: &'a str,
    /// How well, 0 to 1; 1 if the phrase is what was written.
    pub score: f32,
    /// The cosine of the vectors.
    pub cosine: f32,
    /// How much of what was written the phrase says.
    pub cover: f32,
}

/// All phrases of a book, ready to be searched.
#[derive(Debug)]
pub struct Index {
    entries: Vec<Entry>,
    /// Of each phrase: its entry, and its number there.
    phrases: Vec<(u32, u32)>,
    rows: Rows,
    words: Words,
    exact: HashMap<String, Vec<u32>>,
}

impl Index {
    /// Of a book whose phrases all have vectors in `cache`; others are left out.
    pub fn new(book: Book, cache: &Cache) -> Self {
        let entries: Vec<Entry> = book.entries.into_values().collect();
        let (mut phrases, mut rows, mut words) = (Vec::new(), Rows::new(cache.width()), Words::default());
        let mut exact: HashMap<String, Vec<u32>> = HashMap::new();
        rows.reserve(entries.iter().map(|e| e.phrases().count()).sum());
        for (n, entry) in entries.iter().enumerate() {
            for (k, phrase) in entry.phrases().enumerate() {
                if let Some((codes, scale)) = cache.get(phrase) {
                    exact.entry(folded(phrase)).or_default().push(phrases.len() as u32);
                    phrases.push((n as u32, k as u32));
                    rows.push_row(&codes, scale);
                    words.push(phrase);
                }
            }
        }
        Self { entries, phrases, rows, words, exact }
    }

    /// How many entries.
    pub fn entries(&self) -> usize {
        self.entries.len()
    }

    /// How many phrases.
    pub fn phrases(&self) -> usize {
        self.phrases.len()
    }

    /// The `most` entries that fit best, best first, among those that hold.
    pub fn find(&self, wanted: &Wanted<'_>, most: usize) -> Vec<Found<'_>> {
        if self.phrases.is_empty() || most == 0 || wanted.vector.len() != self.rows.width() {
            return Vec::new();
        }
        let mut cover = Vec::new();
        self.words.cover(wanted.text, &mut cover);
        let mut same = self.exact.get(&folded(wanted.text)).into_iter().flatten().copied().peekable();
        // the best phrase of each entry that is still in the race; it has few members, and the bar is high
        let mut best: BTreeMap<u32, (f32, usize, f32)> = BTreeMap::new();
        let mut bar = 0.0;
        for (n, (cosine, cover)) in self.rows.cosines(wanted.vector).into_iter().zip(&cover).enumerate() {
            let exact = same.next_if_eq(&(n as u32)).is_some();
            let score = if exact { 1.0 } else { fused(cosine, *cover) };
            if score <= bar {
                continue;
            }
            let entry = self.phrases[n].0;
            let (of, lang) = (&self.entries[entry as usize], wanted.lang);
            if !of.holds(wanted.site, wanted.day) {
                continue;
            }
            let foreign = !lang.is_empty() && of.lang.as_deref().is_some_and(|l| l != lang);
            let score = if foreign { score * 0.9 } else { score };
            match best.get_mut(&entry) {
                Some(known) if known.0 >= score => {}
                Some(known) => *known = (score, n, cosine),
                None => _ = best.insert(entry, (score, n, cosine)),
            }
            if best.len() > most {
                let last = best.iter().min_by(|a, b| a.1.0.total_cmp(&b.1.0)).map(|(entry, _)| *entry);
                last.and_then(|entry| best.remove(&entry));
            }
            if best.len() == most {
                bar = best.values().map(|(score, ..)| *score).fold(f32::INFINITY, f32::min);
            }
        }
        let mut found: Vec<Found<'_>> = best
            .into_iter()
            .map(|(entry, (score, n, cosine))| {
                let entry = &self.entries[entry as usize];
                let phrase = entry.phrases().nth(self.phrases[n].1 as usize).unwrap_or(&entry.question);
                Found { entry, phrase, score, cosine, cover: cover[n] }
            })
            .collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.entry.id.cmp(&b.entry.id)));
        found
    }
}

fn fused(cosine: f32, cover: f32) -> f32 {
    ((1.0 - WORDS) * cosine + WORDS * cover).clamp(0.0, 0.999)
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
