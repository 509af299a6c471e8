//! `kefu user`: the people who answer.

mod add;
mod again;
mod confirm;
mod disable;
mod invitation;
mod invite;
mod last_admin;
mod list;
mod people;
mod role;
mod show;
mod teams;
pub mod waiting;

pub use invitation::Invitation;

use crate::crypto::directory::Role;

commands! {
    /// People who answer: invite, list, change role and teams, switch off
    pub enum Command {
        Add(add::Args),
        List(list::Args),
        Show(show::Args),
        Confirm(confirm::Args),
        Disable(disable::Args),
        Enable(again::Enable),
        Reset(again::Reset),
        Role(role::Args),
        Teams(teams::Args),
        #[command(subcommand)]
        Invite(invite::Command),
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
