//! Intents: learning them from examples, guessing them, measuring how well.
//!
//! - [`examples`]: what is learned from; [`import`] reads it from files.
//! - [`train()`]: logistic regression on sentence vectors (`logistic`), calibrated on held-out folds (`calibrate`).
//! - [`classifier`]: what was learned, as one file; guesses, with the nearest examples.
//! - [`refusal`]: what a text says no to.
//! - [`eval`]: figures on texts whose intent is known.

mod calibrate;
pub mod classifier;
pub mod eval;
pub mod examples;
pub mod import;
mod logistic;
pub mod refusal;
pub mod train;

#[cfg(test)]
mod tests;

pub use classifier::{ClassifierError, IntentClassifier, Near, Prediction};
pub use examples::{Example, Examples, Intent, OUT_OF_SCOPE};
pub use train::{Progress, TrainError, train};
