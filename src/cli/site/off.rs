//! `kefu site off`: its widgets take no new conversations.

use super::super::{context::Context, fail::Fail, keys::Signing};
use crate::proto::SiteId;

/// Switch a site off
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the site
    #[arg(value_name = "ID")]
    id: SiteId,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
