//! `kefu directory`: the signed log of who is who.

mod line;
mod refresh;
mod show;
mod verify;

use super::{context::Context, fail::Fail};

/// The signed log of who is who
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Refresh(refresh::Args),
    Show(show::Args),
    Verify(verify::Args),
}

impl Command {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        match self {
            Self::Refresh(args) => args.run(ctx),
            Self::Show(args) => args.run(ctx),
            Self::Verify(args) => args.run(ctx),
        }
    }
}
