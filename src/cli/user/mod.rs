//! `kefu user`: the people who answer.

mod add;
mod disable;
mod enable;
mod invitation;
mod invite;
mod list;
mod people;
mod reset;
mod role;
mod show;
mod teams;

pub use invitation::Invitation;

use super::{context::Context, fail::Fail};
use crate::crypto::directory::Role;

/// People who answer: add, list, change
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Add(add::Args),
    List(list::Args),
    Show(show::Args),
    Disable(disable::Args),
    Enable(enable::Args),
    Reset(reset::Args),
    Role(role::Args),
    Teams(teams::Args),
    #[command(subcommand)]
    Invite(invite::Command),
}

impl Command {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        match self {
            Self::Add(args) => args.run(ctx),
            Self::List(args) => args.run(ctx),
            Self::Show(args) => args.run(ctx),
            Self::Disable(args) => args.run(ctx),
            Self::Enable(args) => args.run(ctx),
            Self::Reset(args) => args.run(ctx),
            Self::Role(args) => args.run(ctx),
            Self::Teams(args) => args.run(ctx),
            Self::Invite(args) => args.run(ctx),
        }
    }
}

/// A role as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum RoleArg {
    /// Answers visitors
    Agent,
    /// Sees the whole team and takes over
    Supervisor,
    /// Changes the company: people, teams, sites
    Admin,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Agent => Self::Agent,
            RoleArg::Supervisor => Self::Supervisor,
            RoleArg::Admin => Self::Admin,
        }
    }
}
