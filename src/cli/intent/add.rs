//! `kefu intent add`: more examples of an intent, or a new one.

use std::path::Path;

use super::learn::{learn, teach, tell};
use crate::{
    cli::{
        context::Context,
        error::CliError,
        training::{LoadedModel, TrainingFiles, report_problems},
    },
    nlu::{
        intent::{
            Intent,
            examples::{check_name, check_text},
        },
        text_file::Report,
    },
};

/// Add examples to an intent, or create a new one; then train again
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the intent
    #[arg(value_parser = |s: &str| check_name(s).map(|()| s.to_owned()))]
    intent: String,
    /// What visitors with this intent write
    #[arg(required = true, value_parser = |s: &str| check_text(s).map(|()| s.trim().to_owned()))]
    examples: Vec<String>,
    /// Its name in Chinese
    #[arg(long)]
    zh: Option<String>,
    /// Its name in English
    #[arg(long)]
    en: Option<String>,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let training = TrainingFiles::open(ctx)?;
        let loaded = LoadedModel::open(ctx)?;
        let mut examples = loaded.classifier(ctx)?.to_examples();
        for text in &self.examples {
            examples.push(text, &self.intent, (String::new(), 0));
        }
        let described: &mut Intent = examples.intents.entry(self.intent.clone()).or_default();
        described.zh = self.zh.unwrap_or(std::mem::take(&mut described.zh));
        described.en = self.en.unwrap_or(std::mem::take(&mut described.en));
        let mut report = Report::default();
        examples.settle(&mut report);
        let what = Path::new("the known examples with the new ones");
        report_problems(&report, what, ctx.json)?;
        let classifier = learn(ctx, &loaded, examples, what)?;
        teach(&classifier, &training)?;
        tell(ctx, &classifier, &format!("{} has {} more examples.", self.intent, self.examples.len()), &report);
        Ok(())
    }
}
