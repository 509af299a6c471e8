//! `kefu user role`: change what a person may do.

use super::super::{context::Context, fail::Fail, keys::Signing};
use super::RoleArg;
use crate::proto::UserId;

/// Change what a person may do
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the person
    #[arg(value_name = "ID")]
    id: UserId,
    /// The new role
    #[arg(value_enum)]
    role: RoleArg,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
