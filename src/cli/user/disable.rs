//! `kefu user disable`: switch a person off.

use super::super::{context::Context, fail::Fail, keys::Signing};
use crate::proto::UserId;

/// Switch a person off and rotate the keys of the teams
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
