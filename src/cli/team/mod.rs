//! `kefu team`: agents who share a queue and a key.

mod add;
mod list;
mod members;
mod rename;
mod rotate;
mod show;

use super::{context::Context, fail::Fail};

/// Teams: agents who share a queue and a key
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Add(add::Args),
    List(list::Args),
    Show(show::Args),
    Rename(rename::Args),
    Rotate(rotate::Args),
    Members(members::Args),
}

impl Command {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        match self {
            Self::Add(args) => args.run(ctx),
            Self::List(args) => args.run(ctx),
            Self::Show(args) => args.run(ctx),
            Self::Rename(args) => args.run(ctx),
            Self::Rotate(args) => args.run(ctx),
            Self::Members(args) => args.run(ctx),
        }
    }
}
