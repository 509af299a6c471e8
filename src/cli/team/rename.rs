//! `kefu team rename`: another name, the same id.

use super::super::{context::Context, fail::Fail, keys::Signing};
use crate::proto::TeamId;

/// Give a team another name
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the team
    #[arg(value_name = "ID")]
    id: TeamId,
    /// The new name
    name: String,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
