//! `kefu user invite revoke`: make an invite worthless.

use super::super::super::{context::Context, fail::Fail, keys::Signing};
use crate::proto::UserId;

/// Revoke the open invites of a person
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the person
    #[arg(value_name = "ID")]
    id: UserId,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
