//! `kefu policy`: what the robot does with what it understands.

mod check;
mod eval;
mod show;
mod test;

use super::{context::Context, error::CliError};
use crate::robot::policy::Policy;

/// Policy: how the robot responds to what it recognises
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Show(show::Args),
    Check(check::Args),
    Test(test::Args),
    Eval(eval::Args),
}

impl Command {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        match self {
            Self::Show(args) => args.run(ctx),
            Self::Check(args) => args.run(ctx),
            Self::Test(args) => args.run(ctx),
            Self::Eval(args) => args.run(ctx),
        }
    }
}

/// The policy of the configuration; without a data directory, the default one.
fn load(ctx: &Context) -> Result<Policy, CliError> {
    let config = ctx.load_config()?;
    Policy::new(&config.robot).map_err(|e| {
        CliError::failure(e.to_string()).hint(format!("correct [robot] in {}", ctx.config_path().display()))
    })
}
