//! What a question says besides its drift: numbers with units, names, which of several that exclude each other, what is negated.
//! Two questions that contradict each other in one of these are not the same question, however alike they sound.

mod compare;
mod lexicon;
mod names;
mod numbers;
mod numerals;
mod times;
mod units;

use std::hash::{DefaultHasher, Hash, Hasher};

pub(super) use compare::compare;
use lexicon::Word;
use names::Name;
use numbers::Quantity;

use crate::{compat::compatible, text_file::is_cjk};

/// Characters of a text that are read: a question is shorter.
const MAX_CHARS: usize = 300;
/// Tokens after a no that it denies: only the next, what follows may be another matter.
const REACH: usize = 1;

/// A text, read.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    text: String,
    pub tokens: Vec<Token>,
    quantities: Vec<Quantity>,
    names: Vec<Name>,
    members: Vec<Member>,
    /// How often it says no.
    denials: usize,
}

/// A word in the one form that all its synonyms have.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    key: u64,
    /// How much it says.
    weight: f32,
    negated: bool,
    from: usize,
    to: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    group: u16,
    number: u16,
    strict: bool,
    narrow: bool,
    from: usize,
    to: usize,
}

/// Two things that contradict each other, as they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// In the entry.
    pub entry: String,
    /// In what was asked.
    pub asked: String,
}

/// How the facts of a question and of an entry agree. Counts are of facts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Compared {
    pub conflicts: Vec<Conflict>,
    pub numbers: Agreement,
    pub names: Agreement,
    pub members: Agreement,
    /// What kind of question it is.
    pub kind: Agreement,
    /// What the question narrows: the entry speaks of all cities, the question of one.
    pub narrows: f32,
    /// How much oftener one of the two says no.
    pub denials: f32,
}

/// Facts that both have, and that only one of them has.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Agreement {
    pub both: f32,
    pub asked: f32,
    pub entry: f32,
}

/// Reads a text.
pub(super) fn read(text: &str) -> Reading {
    let text: String = compatible(text).chars().take(MAX_CHARS).collect();
    let small = text.to_ascii_lowercase();
    let quantities = numbers::quantities(&small);
    let mut names = names::names(&text, &small);
    names.retain(|n| !quantities.iter().any(|q| q.from < n.to && n.from < q.to && q.from <= n.from));
    let mut reading = Reading { quantities, names, ..Reading::default() };
    reading.quantities.retain(|q| !in_word(&small, q));
    reading.walk(&small);
    // the number of a model is no amount
    let Reading { quantities, names, .. } = &mut reading;
    quantities.retain(|q| !names.iter().any(|n| n.from < q.from && q.from < n.to));
    reading.text = text;
    reading
}

/// 双十一, 五一, 一天 are words of their own.
fn in_word(small: &str, q: &Quantity) -> bool {
    let mut places = small[..q.to].char_indices().map(|(at, _)| at).filter(|at| at + 12 > q.from && *at <= q.from);
    let member = |at: usize| {
        lexicon::at(small, at)
            .filter(|(words, end)| *end >= q.to && matches!(words[0], Word::Member { strict: true, .. }))
    };
    places.any(|at| member(at).is_some())
}

impl Reading {
    fn said(&self, from: usize, to: usize) -> String {
        self.text.get(from..to).unwrap_or_default().trim().to_owned()
    }

    fn walk(&mut self, small: &str) {
        let mut at = 0;
        // how many tokens a no still reaches
        let mut denies = 0;
        while at < small.len() {
            let Some(c) = small[at..].chars().next() else { break };
            if let Some(end) = no(small, at) {
                denies = REACH;
                self.denials += 1;
                at = end;
                continue;
            }
            if ",.;?!，。；？！、".contains(c) {
                denies = 0;
            }
            let found = lexicon::at(small, at);
            self.remember(found, at);
            let name = self.names.iter().find(|n| n.from == at);
            let quantity = self.quantities.iter().find(|q| q.from == at).filter(|_| name.is_none());
            let (key, weight, end) = if let Some(n) = name {
                (hash(&(&n.base, &n.number, &n.suffix)), 3.0, n.to)
            } else if let Some(q) = quantity {
                (hash(&((q.value * 1e3).round() as i64, format!("{:?}", q.kind))), if q.weak { 0.5 } else { 2.0 }, q.to)
            } else if let Some((words, end)) = found {
                match words[0] {
                    Word::Filler => {
                        at = end;
                        continue;
                    }
                    Word::Synonym(n) => (hash(&("s", n)), said_much(&small[at..end]), end),
                    Word::Member { member, strict, .. } => {
                        (hash(&("s", member)), if strict { said_much(&small[at..end]) } else { 0.5 }, end)
                    }
                    Word::Other => (hash(&&small[at..end]), 1.0, end),
                }
            } else if is_cjk(c) {
                (hash(&c), 1.0, at + c.len_utf8())
            } else if c.is_alphanumeric() {
                let end = small[at..].find(|c: char| !c.is_alphanumeric() || is_cjk(c)).map_or(small.len(), |n| at + n);
                (hash(&stem(&small[at..end])), 2.0, end)
            } else {
                at += c.len_utf8();
                continue;
            };
            // members that stand inside of what was taken as a whole
            let whole = quantity.is_some();
            for (inner, _) in small[at..end].char_indices().skip(1).filter(|_| whole) {
                self.remember(lexicon::at(small, at + inner), at + inner);
            }
            self.tokens.push(Token { key, weight, negated: denies > 0, from: at, to: end });
            denies = denies.saturating_sub(1);
            at = end;
        }
    }

    fn remember(&mut self, found: Option<(&'static [Word], usize)>, from: usize) {
        let Some((words, to)) = found else { return };
        for word in words {
            if let Word::Member { group, member, strict, narrow } = *word {
                self.members.push(Member { group, number: member, strict, narrow, from, to });
            }
        }
    }

    /// How much all tokens say together.
    pub fn weight(&self) -> f32 {
        self.tokens.iter().map(|t| t.weight).sum()
    }

    /// How much of what this says, from 0 to 1, `other` says too.
    pub fn covered(&self, other: &Self) -> f32 {
        let there: f32 =
            self.tokens.iter().filter(|t| other.tokens.iter().any(|o| o.key == t.key)).map(|t| t.weight).sum();
        there / self.weight().max(1.0)
    }

    /// How much both say in the same order, of the one that says more: near 1 where the sentence is the same but for a word.
    pub fn frame(&self, other: &Self) -> f32 {
        let (a, b) = (&self.tokens, &other.tokens);
        let mut row = vec![0f32; b.len() + 1];
        for x in a {
            let mut corner = 0.0;
            for (n, y) in b.iter().enumerate() {
                let above = row[n + 1];
                row[n + 1] = if x.key == y.key { corner + x.weight } else { above.max(row[n]) };
                corner = above;
            }
        }
        row[b.len()] / self.weight().max(other.weight()).max(1.0)
    }

    /// How much of what this says is neither in `entry` nor in its `answer`.
    pub fn unknown(&self, entry: &Self, answer: &Self) -> f32 {
        let there = |t: &Token| entry.tokens.iter().chain(&answer.tokens).any(|o| o.key == t.key);
        self.tokens.iter().filter(|t| !there(t)).map(|t| t.weight).sum::<f32>() / self.weight().max(1.0)
    }
}

/// A no that begins at byte `at`, and where it ends. In A-not-A it asks, and so it does at the end; 不到 and its like measure.
fn no(small: &str, at: usize) -> Option<usize> {
    const ZH: [&str; 8] = ["除了", "不是", "不", "别", "没有", "无法", "无需", "非"];
    const EN: [&str; 17] = [
        "not",
        "no",
        "non",
        "without",
        "w/o",
        "avoid",
        "never",
        "except",
        "cannot",
        "can't",
        "don't",
        "doesn't",
        "isn't",
        "won't",
        "aren't",
        "other than",
        "excluding",
    ];
    let rest = &small[at..];
    let first = rest.chars().next()?;
    if is_cjk(first) {
        if matches!(lexicon::at(small, at), Some((_, end)) if end > at + first.len_utf8()) {
            return None;
        }
        let word = ZH.iter().find(|w| rest.starts_with(**w))?;
        let after = rest[word.len()..].chars().next()?;
        let before = small[..at].chars().next_back();
        let asks = before == Some(after) || !(is_cjk(after) || after.is_alphanumeric()) || "吗呢啊呀".contains(after);
        return (!asks).then_some(at + word.len());
    }
    let inner = |c: char| c.is_ascii_alphanumeric();
    if !first.is_ascii_alphabetic() || small[..at].ends_with(inner) {
        return None;
    }
    let rest_plain = rest.replace('’', "'");
    let word = EN.iter().find(|w| rest_plain.strip_prefix(**w).is_some_and(|after| !after.starts_with(inner)))?;
    // ’ takes three bytes and ' one
    let curly = rest[..].chars().take(word.chars().count()).filter(|c| *c == '’').count();
    Some(at + word.len() + 2 * curly)
}

/// Longer Chinese words say more; a word of letters as much as two characters.
fn said_much(word: &str) -> f32 {
    if word.is_ascii() { 2.0 } else { (word.chars().count() as f32).min(3.0) }
}

/// returns, returned, returning → return, roughly.
fn stem(word: &str) -> &str {
    let cut = ["ing", "ed", "es", "s"].into_iter().find_map(|end| word.strip_suffix(end));
    cut.filter(|short| short.len() > 2).unwrap_or(word)
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
