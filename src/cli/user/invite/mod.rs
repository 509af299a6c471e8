//! `kefu user invite`: invites that were not used yet.

mod list;
mod revoke;

use super::super::{context::Context, fail::Fail};

/// Invites that were not used yet
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    List(list::Args),
    Revoke(revoke::Args),
}

impl Command {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        match self {
            Self::List(args) => args.run(ctx),
            Self::Revoke(args) => args.run(ctx),
        }
    }
}
