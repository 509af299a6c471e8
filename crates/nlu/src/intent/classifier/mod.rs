//! What was learned: guesses for a sentence vector, with the nearest examples.

mod file;
mod taught;

use super::{
    calibrate::{Rejection, Signs},
    eval::Summary,
    examples::{Examples, Intent},
    logistic::{Linear, softmax},
};
use crate::{
    embed::Fingerprint,
    vectors::{Rows, top},
};

pub use file::ClassifierError;
pub(super) use taught::Taught;

/// A trained classifier with everything it needs.
#[derive(Clone, Debug, PartialEq)]
pub struct IntentClassifier {
    /// The model whose vectors it understands.
    pub fingerprint: Fingerprint,
    /// The intents it can guess, by name.
    pub intents: Vec<(String, Intent)>,
    /// What was measured on held-out folds when it was trained.
    pub summary: Summary,
    /// One class per intent; a last one if there were examples out of scope. Numbers of 16 bits.
    pub(super) linear: Linear,
    pub(super) temperature: f32,
    pub(super) rejection: Rejection,
    /// The class after the last intent is out of scope.
    pub(super) examples: Taught,
    /// Examples that others are compared with, by their numbers. All taught; so many stay that the head stays small.
    pub(super) anchors: Vec<u32>,
    /// Vectors of the anchors.
    pub(super) rows: Rows,
}

/// An example near a text.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Near {
    /// The example.
    pub text: String,
    /// Its intent.
    pub intent: String,
    /// How near, up to 1.
    pub cosine: f32,
}

/// What a head guesses.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Number of each intent in [`IntentClassifier::intents`] and its probability, the likeliest first. With `out_of_scope`, the sum
    /// is 1.
    pub intents: Vec<(usize, f32)>,
    /// Probability that it is none of them.
    pub out_of_scope: f32,
}

/// What the parts of a head see in one vector.
pub(super) struct Look {
    /// Scores of the intents, without the class out of scope.
    pub logits: Vec<f32>,
    /// Probability of the class out of scope.
    pub outside: f32,
    /// Cosine of the nearest example of an intent, and of the nearest out of scope.
    pub near: [f32; 2],
}

impl Look {
    /// Through a classifier of `intents` intents and perhaps one class more.
    pub fn new(linear: &Linear, intents: usize, vector: &[f32], near: [f32; 2]) -> Self {
        let mut logits = linear.logits(vector);
        let mut all = logits.clone();
        softmax(&mut all);
        let outside = all.get(intents).copied().unwrap_or(0.0);
        logits.truncate(intents);
        Self { logits, outside, near }
    }

    /// Probabilities of the intents, if it is one of them, and the signs of being none.
    pub fn calibrated(&self, temperature: f32) -> (Vec<f32>, Signs) {
        let mut p: Vec<f32> = self.logits.iter().map(|z| z / temperature).collect();
        softmax(&mut p);
        let best = p.iter().copied().fold(0.0, f32::max);
        (p, [best, self.near[0], self.outside, self.near[1]])
    }

    /// The guess.
    pub fn predict(&self, temperature: f32, rejection: &Rejection) -> Prediction {
        let (p, signs) = self.calibrated(temperature);
        let out_of_scope = rejection.probability(&signs);
        let mut intents: Vec<(usize, f32)> = p.into_iter().map(|p| p * (1.0 - out_of_scope)).enumerate().collect();
        intents.sort_by(|a, b| b.1.total_cmp(&a.1));
        Prediction { intents, out_of_scope }
    }
}

/// The highest cosine among rows of a class below `intents`, and among the others; 0 where there is none.
pub(super) fn nearest(cosines: impl Iterator<Item = (f32, u32)>, intents: usize) -> [f32; 2] {
    cosines.fold([0.0; 2], |mut near, (cosine, class)| {
        let side = usize::from(class as usize >= intents);
        near[side] = near[side].max(cosine);
        near
    })
}

impl IntentClassifier {
    /// Numbers in the vectors it understands.
    pub fn width(&self) -> usize {
        self.linear.width
    }

    /// How many examples it was trained on.
    pub fn examples(&self) -> usize {
        self.examples.len()
    }

    /// The examples it was trained on, to train another on them and more.
    pub fn to_examples(&self) -> Examples {
        let mut examples = Examples::default();
        examples.intents.extend(self.intents.iter().cloned());
        for (text, class) in self.examples.iter() {
            let intent = self.intents.get(class as usize).map_or(super::OUT_OF_SCOPE, |(name, _)| name);
            examples.push(text, intent, (String::new(), 0));
        }
        examples
    }

    /// What `vector`, of [`Self::width`] numbers, means.
    pub fn predict(&self, vector: &[f32]) -> Prediction {
        let classes = self.anchors.iter().map(|n| self.examples.class(*n as usize));
        let cosines = self.rows.cosines(vector).into_iter().zip(classes);
        let near = nearest(cosines, self.intents.len());
        Look::new(&self.linear, self.intents.len(), vector, near).predict(self.temperature, &self.rejection)
    }

    /// The `most` nearest of the examples that it compares with, nearest first.
    pub fn near(&self, vector: &[f32], most: usize) -> Vec<Near> {
        let best = top(self.rows.cosines(vector).into_iter(), most);
        let near = best.into_iter().map(|(n, cosine)| {
            let example = self.anchors[n] as usize;
            let intent =
                self.intents.get(self.examples.class(example) as usize).map_or(super::OUT_OF_SCOPE, |(name, _)| name);
            Near { text: self.examples.text(example).to_owned(), intent: intent.to_owned(), cosine }
        });
        near.collect()
    }
}
