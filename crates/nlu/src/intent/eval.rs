//! How good guesses are, on texts whose intent is known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::OUT_OF_SCOPE;

/// A text whose intent is known, and what was guessed.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Its intent, or [`OUT_OF_SCOPE`].
    pub truth: String,
    /// The likeliest intent.
    pub guess: String,
    /// The probability of that.
    pub p: f32,
}

/// The figures worth keeping with a head. Shares are from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Texts that have an intent.
    pub texts: usize,
    /// Of these, whose likeliest intent is theirs.
    pub accuracy: f32,
    /// Mean F1 of the intents.
    pub macro_f1: f32,
    /// From this probability on a guess counts as an answer.
    pub threshold: f32,
    /// Texts with an intent that get an answer.
    pub coverage: f32,
    /// Of these, how many are right.
    pub covered_accuracy: f32,
    /// Texts that have none.
    pub outside: usize,
    /// Of these, how many get no answer.
    pub outside_recall: f32,
    /// Mean distance between probability and share of right guesses.
    pub calibration_error: f32,
}

/// Figures of one intent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfIntent {
    /// Its name.
    pub intent: String,
    /// Its texts.
    pub texts: usize,
    /// How many of the guesses for it are right.
    pub precision: f32,
    /// How many of its texts are found.
    pub recall: f32,
    /// Their harmonic mean.
    pub f1: f32,
}

/// Texts of one intent that were taken for another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// What they are.
    pub truth: String,
    /// What they were taken for.
    pub guess: String,
    /// How many.
    pub texts: usize,
}

/// Guesses of about the same probability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bin {
    /// How many.
    pub texts: usize,
    /// Their mean probability.
    pub p: f32,
    /// How many of them are right, as a share.
    pub right: f32,
}

/// Everything that is measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// By name.
    pub intents: Vec<OfIntent>,
    /// The most frequent first.
    pub confusions: Vec<Confusion>,
    /// Ten, from probability 0 to 1.
    pub bins: Vec<Bin>,
    summary: Summary,
}

const BINS: usize = 10;

impl Report {
    /// From guesses; those below `threshold` count as no answer.
    pub fn new(seen: &[Seen], threshold: f32) -> Self {
        let inside: Vec<&Seen> = seen.iter().filter(|s| s.truth != OUT_OF_SCOPE).collect();
        let outside: Vec<&Seen> = seen.iter().filter(|s| s.truth == OUT_OF_SCOPE).collect();
        let covered: Vec<&&Seen> = inside.iter().filter(|s| s.p >= threshold).collect();
        let right = |s: &&&Seen| s.truth == s.guess;
        let intents = per_intent(&inside);
        let bins = bins(seen);
        let mut confusions: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for s in inside.iter().filter(|s| s.truth != s.guess) {
            *confusions.entry((&s.truth, &s.guess)).or_default() += 1;
        }
        for s in outside.iter().filter(|s| s.p >= threshold) {
            *confusions.entry((&s.truth, &s.guess)).or_default() += 1;
        }
        let mut confusions: Vec<Confusion> = confusions
            .into_iter()
            .map(|((truth, guess), texts)| Confusion { truth: truth.into(), guess: guess.into(), texts })
            .collect();
        confusions.sort_by_key(|c| std::cmp::Reverse(c.texts));
        let summary = Summary {
            texts: inside.len(),
            accuracy: share(inside.iter().filter(right).count(), inside.len()),
            macro_f1: intents.iter().map(|i| i.f1).sum::<f32>() / intents.len().max(1) as f32,
            threshold,
            coverage: share(covered.len(), inside.len()),
            covered_accuracy: share(covered.iter().filter(|s| right(s)).count(), covered.len()),
            outside: outside.len(),
            outside_recall: share(outside.iter().filter(|s| s.p < threshold).count(), outside.len()),
            calibration_error: bins.iter().map(|b| b.texts as f32 * (b.p - b.right).abs()).sum::<f32>()
                / seen.len().max(1) as f32,
        };
        Self { intents, confusions, bins, summary }
    }

    /// The figures in short.
    pub fn summary(&self) -> Summary {
        self.summary.clone()
    }
}

fn share(part: usize, of: usize) -> f32 {
    if of == 0 { 0.0 } else { part as f32 / of as f32 }
}

fn per_intent(inside: &[&Seen]) -> Vec<OfIntent> {
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for s in inside {
        counts.entry(&s.truth).or_default()[0] += 1;
        counts.entry(&s.guess).or_default()[1] += 1;
        if s.truth == s.guess {
            counts.entry(&s.truth).or_default()[2] += 1;
        }
    }
    let figures = counts.into_iter().filter(|(_, [texts, ..])| *texts > 0).map(|(intent, [texts, guesses, right])| {
        let (precision, recall) = (share(right, guesses), share(right, texts));
        let f1 = if right == 0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) };
        OfIntent { intent: intent.to_owned(), texts, precision, recall, f1 }
    });
    figures.collect()
}

fn bins(seen: &[Seen]) -> Vec<Bin> {
    let mut bins = vec![Bin::default(); BINS];
    for s in seen {
        // a probability is between 0 and 1
        let bin = &mut bins[((s.p * BINS as f32) as usize).min(BINS - 1)];
        bin.texts += 1;
        bin.p += s.p;
        bin.right += f32::from(u8::from(s.truth == s.guess));
    }
    for bin in bins.iter_mut().filter(|b| b.texts > 0) {
        bin.p /= bin.texts as f32;
        bin.right /= bin.texts as f32;
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(truth: &str, guess: &str, p: f32) -> Seen {
        Seen { truth: truth.into(), guess: guess.into(), p }
    }

    #[test]
    fn figures_are_those_of_a_hand_count() {
        let list = [
            seen("a", "a", 0.95),
            seen("a", "a", 0.65),
            seen("a", "b", 0.45),
            seen("b", "b", 0.85),
            seen(OUT_OF_SCOPE, "a", 0.15),
            seen(OUT_OF_SCOPE, "b", 0.75),
        ];
        let report = Report::new(&list, 0.5);
        let s = report.summary();
        assert_eq!((s.texts, s.accuracy, s.coverage, s.covered_accuracy), (4, 0.75, 0.75, 1.0));
        assert_eq!((s.outside, s.outside_recall), (2, 0.5));
        let (a, b) = (&report.intents[0], &report.intents[1]);
        assert_eq!((a.precision, a.f1, b.precision, b.recall), (1.0, 0.8, 0.5, 1.0));
        assert!((s.macro_f1 - f32::midpoint(0.8, 2.0 / 3.0)).abs() < 1e-6);
        assert_eq!(report.confusions.len(), 2);
        assert_eq!(report.bins[9], Bin { texts: 1, p: 0.95, right: 1.0 });
        // by hand: .05 + .35 + .45 + .15 + .15 + .75, of six
        assert!((s.calibration_error - 1.9 / 6.0).abs() < 1e-5, "{}", s.calibration_error);
    }

    #[test]
    fn nothing_seen_is_no_division_by_zero() {
        assert_eq!(Report::new(&[], 0.5).summary().accuracy, 0.0);
    }
}
