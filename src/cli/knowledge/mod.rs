//! `kefu knowledge`: the questions the robot can answer.

mod add;
mod edit;
mod export;
mod fields;
mod import;
mod list;
mod remove;
mod stats;
mod store;
mod test;

use super::{context::Context, error::CliError};

/// Knowledge: questions with answers
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Add(add::Args),
    Edit(edit::Args),
    Import(import::Args),
    Export(export::Args),
    List(list::Args),
    Remove(remove::Args),
    Test(test::Args),
    Stats(stats::Args),
}

impl Command {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        match self {
            Self::Add(args) => args.run(ctx),
            Self::Edit(args) => args.run(ctx),
            Self::Import(args) => args.run(ctx),
            Self::Export(args) => args.run(ctx),
            Self::List(args) => args.run(ctx),
            Self::Remove(args) => args.run(ctx),
            Self::Test(args) => args.run(ctx),
            Self::Stats(args) => args.run(ctx),
        }
    }
}
