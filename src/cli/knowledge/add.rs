//! `kefu knowledge add`: one more question with its answer.

use serde_json::json;

use super::{
    fields::Fields,
    store::{load, save, settled},
};
use crate::{
    cli::{
        context::Context,
        error::{CliError, Kind},
        out,
        training::TrainingFiles,
    },
    nlu::knowledge::{Entry, book::Changed},
};

/// Add a question with its answer
#[derive(Debug, clap::Args)]
pub struct Args {
    /// As visitors ask it
    question: String,
    /// The answer, Markdown
    answer: String,
    /// Id of the entry [default: k1, k2, …]
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    fields: Fields,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let training = TrainingFiles::open(ctx)?;
        let mut book = load(&training.files)?;
        let mut entry =
            Entry { id: self.id.unwrap_or_default(), question: self.question, answer: self.answer, ..Entry::default() };
        self.fields.apply(&mut entry);
        let entry = settled(entry)?;
        if book.entries.contains_key(&entry.id) {
            return Err(CliError::new(Kind::Exists, format!("entry {} already exists", entry.id))
                .hint(format!("kefu knowledge edit {}", entry.id)));
        }
        let mut changed = Changed::default();
        let question = entry.question.clone();
        let id = book.put(entry, &mut changed);
        if changed.added == 0 {
            return Err(CliError::new(Kind::Exists, format!("{question:?} is already asked in {id}"))
                .hint(format!("kefu knowledge edit {id}")));
        }
        save(ctx, &training, &book)?;
        if ctx.json {
            out::print_json(&json!({"id": id}));
        } else {
            out::line(format!("Added entry {id}. Try it: kefu knowledge test \"…\""));
        }
        Ok(())
    }
}
