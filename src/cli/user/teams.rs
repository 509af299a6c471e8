//! `kefu user teams`: change the teams of a person.

use super::super::{context::Context, fail::Fail, keys::Signing};
use crate::proto::{TeamId, UserId};

/// Change the teams of a person
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the person
    #[arg(value_name = "ID")]
    id: UserId,
    /// All teams the person shall be in
    #[arg(value_name = "TEAM")]
    teams: Vec<TeamId>,
    /// Add these to the present ones instead
    #[arg(long, value_name = "TEAM", conflicts_with = "teams")]
    add: Vec<TeamId>,
    /// Take these from the present ones instead
    #[arg(long, value_name = "TEAM", conflicts_with = "teams")]
    remove: Vec<TeamId>,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
