//! `kefu knowledge edit`: change an entry.

use serde_json::json;

use super::{
    fields::Fields,
    store::{load, save, settled, unknown},
};
use crate::cli::{
    context::Context,
    error::{CliError, Kind},
    out,
    training::TrainingFiles,
};

/// Change an entry
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the entry
    id: String,
    /// As visitors ask it
    #[arg(long, value_name = "TEXT")]
    question: Option<String>,
    /// The answer, Markdown
    #[arg(long, value_name = "TEXT")]
    answer: Option<String>,
    #[command(flatten)]
    fields: Fields,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let training = TrainingFiles::open(ctx)?;
        let mut book = load(&training.files)?;
        let Some(old) = book.entries.get(&self.id) else { return Err(unknown(&self.id, &book)) };
        let mut entry = old.clone();
        entry.question = self.question.unwrap_or(entry.question);
        entry.answer = self.answer.unwrap_or(entry.answer);
        self.fields.apply(&mut entry);
        let entry = settled(entry)?;
        if entry == *old {
            return Err(CliError::new(Kind::Usage, "no change was given").hint("kefu knowledge edit --help"));
        }
        book.entries.insert(self.id.clone(), entry);
        save(ctx, &training, &book)?;
        if ctx.json {
            out::print_json(&json!({"entry": book.entries[&self.id]}));
        } else {
            out::line(format!("Changed entry {}.", self.id));
        }
        Ok(())
    }
}
