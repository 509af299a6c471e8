//! `kefu team add`: a new team with its key.

use super::super::{context::Context, fail::Fail, keys::Signing};
use crate::proto::TeamId;

/// Add a team
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the new team: 1 to 32 of a-z 0-9 . _ -
    #[arg(value_name = "ID")]
    id: TeamId,
    /// Name that visitors and colleagues see [default: the id]
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
