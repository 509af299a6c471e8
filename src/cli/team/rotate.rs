//! `kefu team rotate`: a new key for a team.

use super::super::{context::Context, fail::Fail, keys::Signing};
use crate::proto::TeamId;

/// Give a team a new key
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the team
    #[arg(value_name = "ID")]
    id: TeamId,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
