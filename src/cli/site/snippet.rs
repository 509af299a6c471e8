//! `kefu site snippet`: what to paste into the pages.

use super::super::{context::Context, fail::Fail};
use crate::proto::SiteId;

/// Print the script tag to paste into the pages of a site
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the site
    #[arg(value_name = "ID")]
    id: SiteId,
    /// Without hash and fingerprint: always the newest widget, and no proof of what it does
    #[arg(long)]
    unpinned: bool,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
