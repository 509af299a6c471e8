//! How likely an entry is the one that was asked for: a logistic choice among the candidates and "none of them", with weights
//! that were fitted to `models/questions` (`examples/fit_questions.rs`).

use super::{
    facts::{self, Compared, Conflict, Reading},
    weights::WEIGHTS,
};

/// What is looked at, one by one.
const PLAIN: [&str; 29] = [
    "one",
    "cosine",
    "words",
    "words_back",
    "covered",
    "covers",
    "frame",
    "unknown",
    "frame_other",
    "same",
    "all_said",
    "numbers_both",
    "numbers_asked",
    "numbers_entry",
    "names_both",
    "names_asked",
    "names_entry",
    "members_both",
    "members_asked",
    "members_entry",
    "kind_both",
    "kind_differs",
    "conflicts",
    "narrows",
    "denials",
    "added",
    "first",
    "cosine_margin",
    "covered_margin",
];
/// Those from 1 on that count by ranges: above each of these knots they count differently.
const RANGED: usize = 7;
const KNOTS: [f32; 4] = [0.2, 0.4, 0.6, 0.8];
/// Where the margins are.
const MARGINS: [(usize, usize); 2] = [(27, 1), (28, 4)];
/// How many features there are. The weights are in this order: those of `PLAIN`, then what each ranged one has above each knot.
pub const COUNT: usize = PLAIN.len() + RANGED * KNOTS.len();
const _: () = assert!(WEIGHTS.len() == COUNT, "each feature has its weight");

/// What a feature is called.
pub fn name(n: usize) -> String {
    match n.checked_sub(PLAIN.len()) {
        None => PLAIN[n].to_owned(),
        Some(n) => format!("{} above {}", PLAIN[1 + n / KNOTS.len()], KNOTS[n % KNOTS.len()]),
    }
}

/// The features of one candidate.
pub type Features = [f32; COUNT];

/// An entry that fits by vector or words.
pub(super) struct Candidate<'a> {
    pub cosine: f32,
    /// Share of the words of the question that the phrase has, by rarity, and the other way round.
    pub cover: f32,
    pub back: f32,
    /// It comes first by vector and words.
    pub first: bool,
    /// The phrase that fits best, the question, and others.
    pub phrases: &'a [&'a str],
    pub answer: &'a str,
}

/// The question, read once.
pub(super) struct Asked(Reading);

/// Characters of an answer that are looked at.
const ANSWER: usize = 200;

impl Asked {
    pub fn new(text: &str) -> Self {
        Self(facts::read(text))
    }

    /// The features of a candidate, and what in it contradicts the question.
    pub fn look(&self, candidate: &Candidate<'_>) -> (Features, Vec<Conflict>) {
        let phrases: Vec<Reading> = candidate.phrases.iter().map(|p| facts::read(p)).collect();
        let answer = candidate.answer;
        let end = answer.char_indices().nth(ANSWER).map_or(answer.len(), |(n, _)| n);
        let answer = facts::read(&answer[..end]);
        let compared = facts::compare(&self.0, &phrases, &answer);
        let features = match phrases.first() {
            Some(phrase) => self.features(candidate, phrase, &answer, &compared),
            None => [0.0; COUNT],
        };
        (features, compared.conflicts)
    }

    fn features(&self, c: &Candidate<'_>, phrase: &Reading, answer: &Reading, compared: &Compared) -> Features {
        let (covered, covers) = (self.0.covered(phrase), phrase.covered(&self.0));
        let frame = self.0.frame(phrase);
        let most = |n: f32| n.min(3.0);
        let Compared { conflicts, numbers, names, members, kind, narrows, denials } = compared;
        let unknown = self.0.unknown(phrase, answer);
        let plain: [f32; PLAIN.len()] = [
            1.0,
            c.cosine.max(0.0),
            c.cover,
            c.back,
            covered,
            covers,
            frame,
            unknown,
            // the same sentence with another word in it
            if covered < 0.999 { (frame - 0.4).max(0.0) } else { 0.0 },
            f32::from(u8::from(covered > 0.999 && covers > 0.999)),
            f32::from(u8::from(covers > 0.999)),
            most(numbers.both),
            most(numbers.asked),
            most(numbers.entry),
            most(names.both),
            most(names.asked),
            most(names.entry),
            most(members.both),
            most(members.asked),
            most(members.entry),
            most(kind.both),
            most(kind.asked.max(kind.entry)),
            most(conflicts.len() as f32),
            most(*narrows),
            *denials,
            // all of the entry, and more
            covers * unknown,
            f32::from(u8::from(c.first)),
            0.0,
            0.0,
        ];
        let mut all = [0.0; COUNT];
        all[..PLAIN.len()].copy_from_slice(&plain);
        for (n, x) in plain[1..=RANGED].iter().enumerate() {
            for (k, knot) in KNOTS.iter().enumerate() {
                all[PLAIN.len() + n * KNOTS.len() + k] = (x - knot).max(0.0);
            }
        }
        all
    }
}

/// Fills in how far each candidate is before the best of the others.
pub(super) fn margins(all: &mut [&mut Features]) {
    for (to, of) in MARGINS {
        let values: Vec<f32> = all.iter().map(|f| f[of]).collect();
        for (n, f) in all.iter_mut().enumerate() {
            let others = values.iter().enumerate().filter(|(m, _)| *m != n).map(|(_, x)| *x);
            f[to] = values[n] - others.fold(0.0, f32::max);
        }
    }
}

/// The sum that a probability is made of.
pub(super) fn logit(features: &Features) -> f32 {
    features.iter().zip(WEIGHTS).map(|(x, w)| x * w).sum()
}

/// Probabilities of the candidates; what is missing to one is that of "none of them".
pub(super) fn shares(logits: &[f32]) -> Vec<f32> {
    let most = logits.iter().copied().fold(0.0, f32::max);
    let sum: f32 = (-most).exp() + logits.iter().map(|z| (z - most).exp()).sum::<f32>();
    logits.iter().map(|z| (z - most).exp() / sum).collect()
}
