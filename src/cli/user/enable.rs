//! `kefu user enable`: a new invite for a person who was switched off.

use super::super::{context::Context, fail::Fail, keys::Signing};
use crate::proto::UserId;

/// Invite a person again who was switched off
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the person
    #[arg(value_name = "ID")]
    id: UserId,
    /// How long the invite is good, such as 72h or 7d
    #[arg(long, value_name = "TIME", default_value = "72h", value_parser = super::super::context::parse_span)]
    ttl: u64,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
