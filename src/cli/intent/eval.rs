//! `kefu intent eval`: how good the guesses are on texts whose intent is known.

use std::path::PathBuf;

use serde_json::json;

use super::{
    learn::{learn, tell_figures},
    plot,
};
use crate::{
    cli::{
        context::Context,
        error::CliError,
        io_error::cannot,
        out::{self, Table},
        training::{HowToRead, LoadedModel, ProgressBar, exact, refresh, report_problems},
    },
    nlu::{
        embed::embed_all,
        intent::{
            Examples, IntentClassifier,
            eval::{Report as Scores, Seen},
            import::read_path,
        },
        text_file::Report,
    },
};

/// Score the robot on texts whose intent is known
#[derive(Debug, clap::Args)]
pub struct Args {
    /// CSV or XLSX with the columns text and intent, or a directory of .csv, .xlsx and .toml files
    #[arg(value_name = "FILE|DIR")]
    from: PathBuf,
    #[command(flatten)]
    how: HowToRead,
    /// Train on all but every tenth text, and score on those, instead of scoring the current intents
    #[arg(long)]
    hold_out: bool,
    /// Minimum probability that counts as an answer, percent
    #[arg(long, value_name = "PERCENT", default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=99))]
    threshold: u8,
    /// Write the reliability plot to this SVG file
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let mut report = Report::default();
        let examples = read_path(&self.from, &(&self.how).into(), &mut report);
        let mut examples = examples.map_err(|e| cannot("read", &self.from, &e))?;
        if examples.list.is_empty() && report.errors() == 0 {
            report.error("", 0, "there is no text to score");
        }
        if self.hold_out {
            examples.settle(&mut report);
        }
        report_problems(&report, &self.from, ctx.json)?;
        let loaded = LoadedModel::open(ctx)?;
        let (classifier, texts) = if self.hold_out {
            let (kept, held) = split(examples);
            (learn(ctx, &loaded, kept, &self.from)?, held)
        } else {
            refresh(ctx);
            (loaded.classifier(ctx)?, examples)
        };
        let seen = look(ctx, &loaded, &classifier, &texts)?;
        let scores = Scores::new(&seen, f32::from(self.threshold) / 100.0);
        if let Some(path) = &self.plot {
            std::fs::write(path, plot::svg(&scores.bins)).map_err(|e| cannot("write", path, &e))?;
        }
        if ctx.json {
            out::print_json(&json!({"figures": scores.summary(), "details": scores}));
        } else {
            print(&scores);
        }
        Ok(())
    }
}

/// Every tenth of each intent is held out.
fn split(examples: Examples) -> (Examples, Examples) {
    let (mut kept, mut held) = (Examples { intents: examples.intents.clone(), list: Vec::new() }, Examples::default());
    let mut met: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for e in examples.list {
        let n = met.entry(e.intent.clone()).or_default();
        *n += 1;
        if *n % 10 == 5 { held.list.push(e) } else { kept.list.push(e) }
    }
    (kept, held)
}

fn look(
    ctx: &Context,
    loaded: &LoadedModel,
    classifier: &IntentClassifier,
    texts: &Examples,
) -> Result<Vec<Seen>, CliError> {
    let list: Vec<&str> = texts.list.iter().map(|e| e.text.as_str()).collect();
    let mut bar = ProgressBar::new(ctx);
    let vectors = embed_all(&mut loaded.workers()?, &list, &mut |done| bar.at("reading  ", done, list.len()));
    let vectors = vectors.map_err(|e| CliError::failure(e.to_string()))?;
    let seen = texts.list.iter().zip(vectors.chunks_exact(classifier.width())).map(|(e, vector)| {
        let (best, p) = classifier.predict(vector).intents.first().copied().unwrap_or_default();
        Seen { truth: e.intent.clone(), guess: classifier.intents[best].0.clone(), p }
    });
    Ok(seen.collect())
}

fn print(scores: &Scores) {
    tell_figures(&scores.summary(), "On these texts");
    out::line("");
    let mut table = Table::new(&["intent", "texts", "precision", "recall", "f1"], "");
    for i in &scores.intents {
        let figures = [exact(i.precision), exact(i.recall), format!("{:.3}", i.f1)];
        table.row([i.intent.clone(), i.texts.to_string()].into_iter().chain(figures));
    }
    table.print();
    if !scores.confusions.is_empty() {
        out::line("");
        let mut table = Table::new(&["is", "taken for", "texts"], "");
        for c in scores.confusions.iter().take(20) {
            table.row([c.truth.clone(), c.guess.clone(), c.texts.to_string()]);
        }
        table.print();
    }
    out::line("");
    out::line(plot::text(&scores.bins));
}
