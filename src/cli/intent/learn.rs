//! Training a classifier and putting it where the server finds it.

use std::path::Path;

use serde_json::json;

use crate::{
    cli::{
        context::Context,
        error::CliError,
        io_error::cannot,
        out,
        training::{LoadedModel, ProgressBar, TrainingFiles, exact, report_problems},
    },
    files::replace,
    nlu::{
        intent::{Examples, IntentClassifier, Progress, TrainError, eval::Summary, train},
        text_file::Report,
    },
};

/// Trains, with a bar on the terminal. `what` is named in mistakes.
pub fn learn(
    ctx: &Context,
    loaded: &LoadedModel,
    examples: Examples,
    what: &Path,
) -> Result<IntentClassifier, CliError> {
    let mut bar = ProgressBar::new(ctx);
    let mut hear = |p| match p {
        Progress::Embedding { done, total } => bar.at("reading  ", done, total),
        Progress::Fitting { done, total } => bar.at("learning ", done, total),
    };
    let classifier = train(examples, &mut loaded.workers()?, &mut hear);
    drop(bar);
    match classifier {
        Ok(classifier) => Ok(classifier),
        Err(TrainError::Examples(_, report)) => {
            report_problems(&report, what, false)?;
            Err(CliError::failure("cannot train on these examples"))
        }
        Err(e) => Err(CliError::failure(e.to_string())),
    }
}

/// Writes a classifier where the robot uses it: running servers take it within seconds.
pub fn teach(classifier: &IntentClassifier, training: &TrainingFiles) -> Result<(), CliError> {
    save(classifier, &training.files.intents())?;
    training.publish()
}

/// Writes a classifier.
pub fn save(classifier: &IntentClassifier, path: &Path) -> Result<(), CliError> {
    replace(path, 0o600, &classifier.to_bytes()).map_err(|e| cannot("write", path, &e))
}

/// Scores measured during training. `report`: warnings about the given examples.
pub fn tell(ctx: &Context, classifier: &IntentClassifier, did: &str, report: &Report) {
    let s = &classifier.summary;
    if ctx.json {
        out::print_json(&json!({
            "intents": classifier.intents.len(), "examples": classifier.examples(), "held_out": s, "model": classifier.fingerprint,
            "warnings": report.problems,
        }));
        return;
    }
    out::line(did);
    tell_figures(s, "On examples held out in turn");
}

/// The figures in a few lines.
pub fn tell_figures(s: &Summary, on: &str) {
    out::line(format!("{on} ({} texts):", s.texts));
    let mut facts = vec![
        ("most likely intent is right", exact(s.accuracy)),
        ("macro F1", format!("{:.3}", s.macro_f1)),
        ("answered", format!("{} (probability of {} and more)", exact(s.coverage), exact(s.threshold))),
        ("right of the answered", exact(s.covered_accuracy)),
        ("calibration error", exact(s.calibration_error)),
    ];
    if s.outside > 0 {
        facts.insert(
            4,
            ("out of scope and not answered", format!("{} of {} texts", exact(s.outside_recall), s.outside)),
        );
    }
    out::facts(&facts);
}
