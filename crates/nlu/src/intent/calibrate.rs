//! From scores to probabilities that hold: the temperature, and the probability that a text has no intent at all.

use super::logistic::{Problem, fit, softmax};

/// What tells whether a text is out of scope.
pub const FEATURES: usize = 4;

/// The four signs of a text: the best probability among the intents, the cosine of the nearest example of an intent, the
/// probability of the class out of scope (0 without one), the cosine of the nearest example out of scope (0 without one).
pub type Signs = [f32; FEATURES];

/// Logistic regression on the signs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rejection {
    /// Factors of the signs.
    pub factors: Signs,
    /// Added to them.
    pub bias: f32,
}

impl Default for Rejection {
    /// For sets too small to measure one: half where the nearest example has a cosine of 0.5.
    fn default() -> Self {
        Self { factors: [-2.0, -10.0, 0.0, 0.0], bias: 6.2 }
    }
}

impl Rejection {
    /// The probability of being out of scope.
    pub fn probability(&self, signs: &Signs) -> f32 {
        let z = signs.iter().zip(&self.factors).map(|(s, f)| s * f).sum::<f32>() + self.bias;
        1.0 / (1.0 + (-z).exp())
    }

    /// Learned from texts with intents and texts without. The latter count so much that they are a quarter of all, as if
    /// every fourth text of a visitor were out of scope.
    pub fn learn(inside: &[Signs], outside: &[Signs]) -> Self {
        if inside.len() < 20 || outside.len() < 20 {
            return Self::default();
        }
        let rows: Vec<f32> = inside.iter().chain(outside).flatten().copied().collect();
        let labels: Vec<u32> = (0..inside.len() + outside.len()).map(|n| u32::from(n >= inside.len())).collect();
        let weight = inside.len() as f32 / outside.len() as f32 / 3.0;
        let weights: Vec<f32> = labels.iter().map(|l| if *l == 1 { weight } else { 1.0 }).collect();
        let (width, weights) = (FEATURES, Some(&weights[..]));
        let problem =
            Problem { rows: &rows, width, labels: &labels, weights, classes: 2, decay: 1e-4, iterations: 200 };
        let linear = fit(&problem, &mut || ());
        let factor = |n: usize| linear.values[FEATURES + 1 + n] - linear.values[n];
        Self { factors: std::array::from_fn(factor), bias: factor(FEATURES) }
    }
}

/// The temperature with the least loss on held-out scores: greater than 1 if the scores are too sure. Always positive.
pub fn temperature(logits: &[Vec<f32>], labels: &[u32]) -> f32 {
    let loss = |log: f64| -> f64 {
        let t = log.exp() as f32;
        let losses = logits.iter().zip(labels).map(|(z, label)| {
            let mut z: Vec<f32> = z.iter().map(|z| z / t).collect();
            let own = z[*label as usize];
            f64::from(softmax(&mut z) - own)
        });
        losses.sum()
    };
    if logits.is_empty() {
        return 1.0;
    }
    // golden section on the logarithm, from a twentieth to twenty: the loss has one valley
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (0.05f64.ln(), 20f64.ln());
    let (mut a, mut b) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut at_a, mut at_b) = (loss(a), loss(b));
    while high - low > 1e-3 {
        if at_a < at_b {
            (high, b, at_b) = (b, a, at_a);
            a = high - ratio * (high - low);
            at_a = loss(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = low + ratio * (high - low);
            at_b = loss(b);
        }
    }
    f64::midpoint(low, high).exp() as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_classifier_that_is_too_sure_is_cooled_and_a_shy_one_warmed() {
        // right three times of four: the best a probability can say is 0.75
        let labels = [0, 0, 0, 1];
        for scale in [10.0f32, 0.1] {
            let logits = vec![vec![scale, 0.0]; 4];
            let t = temperature(&logits, &labels);
            let mut p = vec![scale / t, 0.0];
            softmax(&mut p);
            assert!((p[0] - 0.75).abs() < 0.02, "{scale}: {t} {p:?}");
        }
    }

    #[test]
    fn strangers_are_told_by_their_distance() {
        let inside: Vec<Signs> = (0..40).map(|n| [0.9, 0.7 + 0.005 * n as f32, 0.0, 0.0]).collect();
        let outside: Vec<Signs> = (0..40).map(|n| [0.5, 0.2 + 0.005 * n as f32, 0.0, 0.0]).collect();
        let rejection = Rejection::learn(&inside, &outside);
        assert!(rejection.probability(&[0.9, 0.8, 0.0, 0.0]) < 0.1);
        assert!(rejection.probability(&[0.5, 0.3, 0.0, 0.0]) > 0.9);
        assert_eq!(Rejection::learn(&inside, &outside[..5]), Rejection::default());
    }

    proptest! {
        #[test]
        fn a_temperature_is_positive(rows in proptest::collection::vec((any::<[i8; 3]>(), 0u32..3), 0..20)) {
            let logits: Vec<Vec<f32>> = rows.iter().map(|(z, _)| z.iter().map(|z| f32::from(*z)).collect()).collect();
            let labels: Vec<u32> = rows.iter().map(|(_, l)| *l).collect();
            let t = temperature(&logits, &labels);
            prop_assert!(t > 0.0 && t.is_finite());
        }
    }
}
