//! What a head learns from: intents and examples of how people say them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::text_file::{Report, elsewhere, folded, foreign_in, shown};

/// The intent of texts that have none of the others. Never guessed; its examples teach the rejection.
pub const OUT_OF_SCOPE: &str = "out_of_scope";
/// Most characters of an example.
pub const MAX_TEXT: usize = 500;
/// Most bytes of an intent's name.
pub const MAX_NAME: usize = 64;
/// Most examples of a set.
pub const MAX_EXAMPLES: usize = 100_000;
/// Most intents of a set.
pub const MAX_INTENTS: usize = 1_000;

/// An intent, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// What it is called in Chinese; empty: its name.
    #[serde(default)]
    pub zh: String,
    /// What it is called in English; empty: its name.
    #[serde(default)]
    pub en: String,
    /// Where its border runs.
    #[serde(default)]
    pub about: String,
}

/// One text with its intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// What somebody wrote.
    pub text: String,
    /// What was meant.
    pub intent: String,
    /// File and line it comes from, for reports.
    pub place: (String, u64),
}

/// A set of examples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examples {
    /// Names and descriptions. Every intent of [`Self::list`] is here.
    pub intents: BTreeMap<String, Intent>,
    /// In the order of the files.
    pub list: Vec<Example>,
}

impl Examples {
    /// Adds one; its intent is made if it is new.
    pub fn push(&mut self, text: &str, intent: &str, place: (String, u64)) {
        if !self.intents.contains_key(intent) {
            self.intents.insert(intent.to_owned(), Intent::default());
        }
        self.list.push(Example { text: text.to_owned(), intent: intent.to_owned(), place });
    }

    /// Adds all of `other`; its descriptions win.
    pub fn merge(&mut self, other: Self) {
        for (name, intent) in other.intents {
            let described = intent != Intent::default();
            if described || !self.intents.contains_key(&name) {
                self.intents.insert(name, intent);
            }
        }
        self.list.extend(other.list);
    }

    /// How many examples each intent has.
    pub fn counts(&self) -> BTreeMap<&str, usize> {
        let mut counts: BTreeMap<&str, usize> = self.intents.keys().map(|k| (k.as_str(), 0)).collect();
        for e in &self.list {
            *counts.entry(&e.intent).or_default() += 1;
        }
        counts
    }

    /// Drops repeated examples with a warning, and reports what can't be learned from: a text under two intents, an intent
    /// with a single example, fewer than two intents. The order becomes that of intent and text, whatever it was.
    pub fn settle(&mut self, report: &mut Report) {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut kept: Vec<Example> = Vec::with_capacity(self.list.len());
        for e in std::mem::take(&mut self.list) {
            let (file, line) = &e.place;
            let Some(n) = seen.get(&folded(&e.text)) else {
                seen.insert(folded(&e.text), kept.len());
                kept.push(e);
                continue;
            };
            let first = &mut kept[*n];
            let place = elsewhere(file, &first.place.0, first.place.1);
            if first.intent == e.intent {
                report.warning(file, *line, format!("{:?} is there already{place}; taken once", shown(&e.text)));
                // which of two spellings stays must not depend on the order
                first.text = first.text.clone().min(e.text);
            } else {
                let (text, here, there) = (shown(&e.text), &e.intent, &first.intent);
                report.error(file, *line, format!("{text:?} is {here} here and {there}{place}: decide for one"));
            }
        }
        kept.sort_by(|a, b| (&a.intent, &a.text).cmp(&(&b.intent, &b.text)));
        self.list = kept;
        self.check_sizes(report);
    }

    fn check_sizes(&self, report: &mut Report) {
        let counts = self.counts();
        if self.list.len() > MAX_EXAMPLES || counts.len() > MAX_INTENTS {
            let (n, m) = (self.list.len(), counts.len());
            report.error(
                "",
                0,
                format!("{n} examples of {m} intents are too many: at most {MAX_EXAMPLES} of {MAX_INTENTS}"),
            );
        }
        for (intent, count) in &counts {
            let place = self.list.iter().find(|e| e.intent == **intent).map(|e| e.place.clone()).unwrap_or_default();
            match count {
                0 => report.error(&place.0, place.1, format!("{intent} has no example")),
                1 => report.error(
                    &place.0,
                    place.1,
                    format!("{intent} has one example only: at least two are needed, ten are a start"),
                ),
                2..5 => {
                    report.warning(
                        "",
                        0,
                        format!("{intent} has {count} examples: guesses get better with ten and more"),
                    );
                }
                _ => {}
            }
        }
        if counts.keys().filter(|k| **k != OUT_OF_SCOPE).count() < 2 {
            report.error("", 0, "there must be at least two intents besides out_of_scope to tell apart");
        }
    }
}

/// Why a name is none.
pub fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the intent is empty".into());
    }
    if name.len() > MAX_NAME {
        return Err(format!("the name of the intent is longer than {MAX_NAME} bytes"));
    }
    match name.chars().find(|c| !(c.is_alphanumeric() || "_-.".contains(*c))) {
        Some(c) => Err(format!("{name:?} is no name of an intent: {c:?} is neither letter, digit, '_', '-' nor '.'")),
        None => Ok(()),
    }
}

/// Why a text is no example.
pub fn check_text(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("the text is empty".into());
    }
    if let Some(wrong) = foreign_in(text) {
        return Err(wrong);
    }
    match text.chars().count() {
        n if n > MAX_TEXT => Err(format!("the text has {n} characters; an example has at most {MAX_TEXT}")),
        _ => Ok(()),
    }
}
