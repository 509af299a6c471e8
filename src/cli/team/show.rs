//! `kefu team show`: all about one team.

use super::super::{context::Context, fail::Fail};
use crate::proto::TeamId;

/// Show a team
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
