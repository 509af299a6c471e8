//! `kefu team members`: who is in a team.

use super::super::{context::Context, fail::Fail};
use crate::proto::TeamId;

/// List the people of a team
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the team
    #[arg(value_name = "ID")]
    id: TeamId,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
