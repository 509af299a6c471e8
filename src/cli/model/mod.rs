//! `kefu model`: which language model the robot understands with.

mod choose;
mod show;

use super::{context::Context, error::CliError};

/// The language model of the robot
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Show(show::Args),
    Use(choose::Args),
}

impl Command {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        match self {
            Self::Show(args) => args.run(ctx),
            Self::Use(args) => args.run(ctx),
        }
    }
}
