//! `kefu intent remove`: forget an intent, or some of its examples.

use std::path::Path;

use super::{
    learn::{learn, teach, tell},
    list::unknown,
};
use crate::{
    cli::{
        context::Context,
        error::CliError,
        training::{LoadedModel, TrainingFiles},
    },
    nlu::text_file::{Report, folded},
};

/// Remove an intent, or some of its examples; then train again
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the intent
    intent: String,
    /// Only these examples
    examples: Vec<String>,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let training = TrainingFiles::open(ctx)?;
        let loaded = LoadedModel::open(ctx)?;
        let mut examples = loaded.classifier(ctx)?.to_examples();
        if !examples.intents.contains_key(&self.intent) {
            return Err(unknown(&self.intent, examples.intents.keys()));
        }
        let gone: Vec<String> = self.examples.iter().map(|e| folded(e)).collect();
        let before = examples.list.len();
        examples.list.retain(|e| e.intent != self.intent || !gone.is_empty() && !gone.contains(&folded(&e.text)));
        let removed = before - examples.list.len();
        if removed < gone.len() {
            return Err(CliError::failure(format!("{} has only {removed} of these examples", self.intent))
                .hint(format!("kefu intent list {} shows them", self.intent)));
        }
        if gone.is_empty() {
            examples.intents.remove(&self.intent);
        }
        let classifier = learn(ctx, &loaded, examples, Path::new("the remaining examples"))?;
        teach(&classifier, &training)?;
        tell(ctx, &classifier, &format!("Removed {removed} examples of {}.", self.intent), &Report::default());
        Ok(())
    }
}
