//! `kefu man`: the manual pages.

use std::path::PathBuf;

use serde_json::json;

use super::{context::Context, error::CliError};

/// Write manual pages into a directory
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The directory; created if missing
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let fail = |e: std::io::Error| CliError::failure(format!("cannot write to {}: {e}", self.dir.display()));
        std::fs::create_dir_all(&self.dir).map_err(fail)?;
        clap_mangen::generate_to(super::command(), &self.dir).map_err(fail)?;
        ctx.say(json!({"dir": self.dir}), format!("Manual pages are in {}.", self.dir.display()));
        Ok(())
    }
}
