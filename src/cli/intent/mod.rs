//! `kefu intent`: what visitors may want, and training the robot to recognise it.

mod add;
mod eval;
mod learn;
mod list;
mod plot;
mod remove;
mod test;
mod train;

use super::{context::Context, error::CliError};

/// Intents: what visitors want, learned from examples
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Train(train::Args),
    List(list::Args),
    Add(add::Args),
    Remove(remove::Args),
    Test(test::Args),
    Eval(eval::Args),
}

impl Command {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        match self {
            Self::Train(args) => args.run(ctx),
            Self::List(args) => args.run(ctx),
            Self::Add(args) => args.run(ctx),
            Self::Remove(args) => args.run(ctx),
            Self::Test(args) => args.run(ctx),
            Self::Eval(args) => args.run(ctx),
        }
    }
}
