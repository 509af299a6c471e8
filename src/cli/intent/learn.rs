//! Training a head and putting it where the server finds it.

use std::path::Path;

use serde_json::json;

use crate::{
    cli::{
        context::Context,
        data_dir::cannot,
        fail::Fail,
        out,
        teach::{Mind, ProgressBar, exact, report_problems},
    },
    files::replace,
    nlu::{
        intent::{Examples, Head, Progress, TrainError, eval::Summary, train},
        text_file::Report,
    },
};

/// Trains, with a bar on the terminal. `what` is named in mistakes.
pub fn learn(ctx: &Context, mind: &Mind, examples: Examples, what: &Path) -> Result<Head, Fail> {
    let mut bar = ProgressBar::new(ctx);
    let mut hear = |p| match p {
        Progress::Embedding { done, total } => bar.at("reading  ", done, total),
        Progress::Fitting { done, total } => bar.at("learning ", done, total),
    };
    let head = train(examples, &mut mind.workers()?, &mut hear);
    drop(bar);
    match head {
        Ok(head) => Ok(head),
        Err(TrainError::Examples(_, report)) => {
            report_problems(&report, what, false)?;
            Err(Fail::failure("cannot train on these examples"))
        }
        Err(e) => Err(Fail::failure(e.to_string())),
    }
}

/// Writes a head; a running server takes it within seconds.
pub fn save(head: &Head, path: &Path) -> Result<(), Fail> {
    replace(path, 0o600, &head.to_bytes()).map_err(|e| cannot("write", path, &e))
}

/// Scores measured during training. `report`: warnings about the given examples.
pub fn tell(ctx: &Context, head: &Head, did: &str, report: &Report) {
    let s = &head.summary;
    if ctx.json {
        out::print_json(&json!({
            "intents": head.intents.len(), "examples": head.examples(), "held_out": s, "model": head.fingerprint,
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
