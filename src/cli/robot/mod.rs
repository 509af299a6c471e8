//! `kefu robot`: on which sites the robot may be a member of conversations, and its keys.

mod off;
mod on;
mod rotate;
mod status;

use super::{context::Context, error::CliError};

/// The robot: which sites have one, and its keys
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    On(on::Args),
    Off(off::Args),
    Status(status::Args),
    Rotate(rotate::Args),
}

impl Command {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        match self {
            Self::On(args) => args.run(ctx),
            Self::Off(args) => args.run(ctx),
            Self::Status(args) => args.run(ctx),
            Self::Rotate(args) => args.run(ctx),
        }
    }
}
