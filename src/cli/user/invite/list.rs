//! `kefu user invite list`: invites that were not used.

use super::super::super::{context::Context, fail::Fail};

/// List invites that were not used
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
