//! `kefu knowledge remove`: forget entries.

use serde_json::json;

use super::store::{load, save, unknown};
use crate::cli::{context::Context, error::CliError, out, training::TrainingFiles};

/// Remove entries
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Ids of the entries
    #[arg(required = true)]
    ids: Vec<String>,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let training = TrainingFiles::open(ctx)?;
        let mut book = load(&training.files)?;
        for id in &self.ids {
            if book.entries.remove(id).is_none() {
                return Err(unknown(id, &book));
            }
        }
        save(ctx, &training, &book)?;
        if ctx.json {
            out::print_json(&json!({"removed": self.ids}));
        } else {
            out::line(format!("{} removed, {} remain.", self.ids.len(), book.entries.len()));
        }
        Ok(())
    }
}
