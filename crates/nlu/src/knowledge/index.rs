//! Which entries answer a text. Every phrase is compared by vector and by words; the few that fit best are looked at closely:
//! do numbers, names, what is denied agree, what does each say that the other does not.

use std::collections::{BTreeMap, HashMap};

use super::{
    Cache, Entry, KnowledgeBase,
    facts::Conflict,
    score::{self, Asked, Candidate, Features},
    words::{self, Words},
};
use crate::vectors::Rows;

/// Weight of the words in the sum with the cosine, by which candidates are chosen. A judgement, not yet a measurement.
const WORDS: f32 = 0.3;
/// Entries that are looked at closely.
const CANDIDATES: usize = 8;
/// Phrases of one entry that are.
const PHRASES: usize = 10;
/// What it takes from the sum if an entry is in another language than the visitor's. A judgement.
const FOREIGN: f32 = 1.0;

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct KnowledgeQuery<'a> {
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
    /// The probability that it is what was asked for, 0 to 1; 1 if the phrase is what was written.
    pub score: f32,
    /// The cosine of the vectors.
    pub cosine: f32,
    /// How much of what was written the phrase says.
    pub cover: f32,
    /// What of it contradicts what was written.
    pub conflicts: Vec<Conflict>,
    /// What the probability was made of.
    pub features: Features,
}

/// The best phrase of an entry that is still in the race.
#[derive(Clone, Copy)]
struct Runner {
    fused: f32,
    phrase: usize,
    cosine: f32,
    exact: bool,
    foreign: bool,
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
    pub fn new(book: KnowledgeBase, cache: &Cache) -> Self {
        let entries: Vec<Entry> = book.entries.into_values().collect();
        let (mut phrases, mut rows, mut words) = (Vec::new(), Rows::new(cache.width()), Words::default());
        let mut exact: HashMap<String, Vec<u32>> = HashMap::new();
        rows.reserve(entries.iter().map(|e| e.phrases().count()).sum());
        for (n, entry) in entries.iter().enumerate() {
            for (k, phrase) in entry.phrases().enumerate() {
                if let Some((codes, scale)) = cache.get(phrase) {
                    exact.entry(words::same(phrase)).or_default().push(phrases.len() as u32);
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
    pub fn find(&self, wanted: &KnowledgeQuery<'_>, most: usize) -> Vec<Found<'_>> {
        if self.phrases.is_empty() || most == 0 || wanted.vector.len() != self.rows.width() {
            return Vec::new();
        }
        let mut cover = Vec::new();
        self.words.cover(wanted.text, &mut cover);
        let race = self.race(wanted, &cover, most.max(CANDIDATES));
        let asked = Asked::new(wanted.text);
        let mut found: Vec<Found<'_>> = race
            .iter()
            .enumerate()
            .map(|(n, (entry, run))| self.looked_at(&asked, *entry, run, n == 0, &cover, wanted))
            .collect();
        let close = found.len().min(CANDIDATES);
        score::margins(&mut found[..close].iter_mut().map(|f| &mut f.features).collect::<Vec<_>>());
        let logits = found.iter().zip(&race).map(|(f, (_, run))| {
            let foreign = if run.foreign { FOREIGN } else { 0.0 };
            score::logit(&f.features) - foreign
        });
        let logits: Vec<f32> = logits.collect();
        // whoever asks for more gets the same probabilities
        let mut shares = score::shares(&logits[..close]);
        shares.resize(logits.len(), 0.0);
        for (n, (f, (_, run))) in found.iter_mut().zip(&race).enumerate() {
            f.score = match (run.exact, run.foreign) {
                (true, false) => 1.0,
                (true, true) => 0.9,
                // the same answer under two questions is one
                _ => same_answer(&race, &self.entries, n, &shares).min(0.999),
            };
        }
        found[..close].sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.entry.id.cmp(&b.entry.id)));
        found.truncate(most);
        found
    }

    /// The entries that fit best by vector and words, best first, at most `most` of those that hold.
    fn race(&self, wanted: &KnowledgeQuery<'_>, cover: &[f32], most: usize) -> Vec<(u32, Runner)> {
        let mut same = self.exact.get(&words::same(wanted.text)).into_iter().flatten().copied().peekable();
        // it has few members, and the bar is high
        let mut best: BTreeMap<u32, Runner> = BTreeMap::new();
        let mut bar = 0.0;
        for (n, (cosine, cover)) in self.rows.cosines(wanted.vector).into_iter().zip(cover).enumerate() {
            let exact = same.next_if_eq(&(n as u32)).is_some();
            let fused = if exact { 1.0 } else { fused(cosine, *cover) };
            if fused <= bar {
                continue;
            }
            let entry = self.phrases[n].0;
            let (of, lang) = (&self.entries[entry as usize], wanted.lang);
            if !of.holds(wanted.site, wanted.day) {
                continue;
            }
            let foreign = !lang.is_empty() && of.lang.as_deref().is_some_and(|l| l != lang);
            let fused = if foreign { fused * 0.9 } else { fused };
            let run = Runner { fused, phrase: n, cosine, exact, foreign };
            match best.get_mut(&entry) {
                Some(known) if known.fused >= fused => {}
                Some(known) => *known = run,
                None => _ = best.insert(entry, run),
            }
            if best.len() > most {
                // of equals the last goes, as if all had been sorted
                let last = best.iter().min_by(|a, b| a.1.fused.total_cmp(&b.1.fused).then(b.0.cmp(a.0)));
                let last = last.map(|(entry, _)| *entry);
                last.and_then(|entry| best.remove(&entry));
            }
            if best.len() == most {
                bar = best.values().map(|r| r.fused).fold(f32::INFINITY, f32::min);
            }
        }
        let mut race: Vec<(u32, Runner)> = best.into_iter().collect();
        // entries are in the order of their ids
        race.sort_by(|a, b| b.1.fused.total_cmp(&a.1.fused).then(a.0.cmp(&b.0)));
        race
    }

    fn looked_at(
        &self,
        asked: &Asked,
        entry: u32,
        run: &Runner,
        first: bool,
        cover: &[f32],
        wanted: &KnowledgeQuery<'_>,
    ) -> Found<'_> {
        let entry = &self.entries[entry as usize];
        let phrase = entry.phrases().nth(self.phrases[run.phrase].1 as usize).unwrap_or(&entry.question);
        let others = entry.phrases().filter(|p| *p != phrase);
        let phrases: Vec<&str> = std::iter::once(phrase).chain(others).take(PHRASES).collect();
        let candidate = Candidate {
            cosine: run.cosine,
            cover: cover[run.phrase],
            back: self.words.covered(phrase, wanted.text),
            first,
            phrases: &phrases,
            answer: &entry.answer,
        };
        let (features, conflicts) = asked.look(&candidate);
        let conflicts = if run.exact { Vec::new() } else { conflicts };
        Found { entry, phrase, score: 0.0, cosine: run.cosine, cover: cover[run.phrase], conflicts, features }
    }
}

/// The probability of a candidate with those of lesser ones that have the same answer.
fn same_answer(race: &[(u32, Runner)], entries: &[Entry], n: usize, shares: &[f32]) -> f32 {
    let answer = &entries[race[n].0 as usize].answer;
    let same = race.iter().zip(shares).enumerate();
    let same = same.filter(|(m, ((e, _), p))| *m != n && **p <= shares[n] && entries[*e as usize].answer == *answer);
    shares[n] + same.map(|(_, (_, p))| *p).sum::<f32>()
}

fn fused(cosine: f32, cover: f32) -> f32 {
    ((1.0 - WORDS) * cosine + WORDS * cover).clamp(0.0, 0.999)
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
