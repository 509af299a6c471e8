//! `kefu site show`: all about one site.

use super::super::{context::Context, fail::Fail};
use crate::proto::SiteId;

/// Show a site
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the site
    #[arg(value_name = "ID")]
    id: SiteId,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
