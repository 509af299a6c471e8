//! `kefu model show`.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    cli::{context::Context, error::CliError, out, training::LoadedModel},
    nlu::{SentenceModel, embed::Embed as _, sentence::threads},
    robot::engine::RobotFiles,
};

/// What a visitor writes, in the middle of what visitors' messages are long.
const SENTENCE: &str = "我上周买的鞋子想退货，什么时候能退款？";
/// How often it is read, unless that takes longer than [`PATIENCE`].
const RUNS: usize = 25;
/// Longest time of measuring.
const PATIENCE: Duration = Duration::from_secs(1);

/// Show the language model in use, and how long it takes here
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let loaded = LoadedModel::open(ctx)?;
        let (own, said) = (RobotFiles::of(&ctx.data_dir).model(), loaded.model.describe());
        let from = if own.is_dir() { own.display().to_string() } else { "the executable".to_owned() };
        let intents = loaded.classifier(ctx).map_or(0, |classifier| classifier.intents.len());
        let median = speed(&loaded.model)?;
        if ctx.json {
            out::print_json(&json!({"from": from, "path": said.path, "kernel": said.kernel,
                "architecture": said.architecture, "layers": said.layers, "width": said.width,
                "vocabulary": said.vocabulary, "max_tokens": said.max_tokens, "pooling": said.pooling,
                "prefix": said.prefix, "median_us": median.as_micros() as u64, "intents": intents}));
            return Ok(());
        }
        let path = match said.kernel {
            Some(kernel) => format!("{}, {kernel}", said.path),
            None => said.path.to_owned(),
        };
        out::facts(&[
            ("from", from),
            ("path", path),
            ("architecture", said.architecture),
            ("layers", said.layers.to_string()),
            ("width", said.width.to_string()),
            ("vocabulary", said.vocabulary.to_string()),
            ("longest text", format!("{} tokens", said.max_tokens)),
            ("pooling", said.pooling),
            ("prefix", if said.prefix.is_empty() { "none".into() } else { format!("{:?}", said.prefix) }),
            ("a sentence takes", format!("{:.2} ms", median.as_secs_f64() * 1000.0)),
            ("intents for it", intents.to_string()),
        ]);
        Ok(())
    }
}

/// Median time of a short Chinese sentence, from text to vector, on this machine as it is now.
fn speed(model: &SentenceModel) -> Result<Duration, CliError> {
    let fail = |e: &dyn std::fmt::Display| CliError::failure(e.to_string());
    let mut encoder = model.encoder(threads()).map_err(|e| fail(&e))?;
    let (begin, mut times) = (Instant::now(), Vec::new());
    while times.len() < RUNS && (times.is_empty() || begin.elapsed() < PATIENCE) {
        let before = Instant::now();
        encoder.embed(SENTENCE).map_err(|e| fail(&e))?;
        times.push(before.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}
