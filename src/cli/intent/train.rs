//! `kefu intent train`: learn intents from a file.

use std::path::{Path, PathBuf};

use super::learn::{learn, save, teach, tell};
use crate::{
    cli::{
        context::Context,
        error::CliError,
        io_error::cannot,
        training::{HowToRead, LoadedModel, TrainingFiles, report_problems},
    },
    nlu::{
        intent::{Examples, IntentClassifier, import::read_path},
        text_file::Report,
    },
};

/// Train intents from examples; a running server uses them within seconds
#[derive(Debug, clap::Args)]
pub struct Args {
    /// CSV or XLSX with the columns text and intent, or a directory of .csv, .xlsx and .toml files; several are read as one
    #[arg(value_name = "FILE|DIR", required = true)]
    from: Vec<PathBuf>,
    /// Also train the intents that kefu ships
    #[arg(long)]
    from_default: bool,
    #[command(flatten)]
    how: HowToRead,
    /// Write the trained intents to this file instead of the data directory
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let training = if self.out.is_none() { Some(TrainingFiles::open(ctx)?) } else { None };
        let mut report = Report::default();
        let mut examples = if self.from_default { default_examples()? } else { Examples::default() };
        for from in &self.from {
            let read = read_path(from, &(&self.how).into(), &mut report);
            examples.merge(read.map_err(|e| cannot("read", from, &e))?);
        }
        examples.settle(&mut report);
        let what = self.from.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ");
        report_problems(&report, Path::new(&what), ctx.json)?;
        let loaded = LoadedModel::open(ctx)?;
        let classifier = learn(ctx, &loaded, examples, Path::new(&what))?;
        match (&self.out, &training) {
            (Some(path), _) => save(&classifier, path)?,
            (None, Some(training)) => teach(&classifier, training)?,
            (None, None) => {}
        }
        let did = format!("Trained {} intents on {} examples.", classifier.intents.len(), classifier.examples());
        tell(ctx, &classifier, &did, &report);
        Ok(())
    }
}

/// The examples built into the executable.
pub fn default_examples() -> Result<Examples, CliError> {
    let bytes = crate::nlu::model::embedded_intents()
        .ok_or_else(|| CliError::failure("this build of kefu contains no intents"))?;
    IntentClassifier::from_bytes(&bytes).map(|h| h.to_examples()).map_err(|e| CliError::failure(e.to_string()))
}
