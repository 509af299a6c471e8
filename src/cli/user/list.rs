//! `kefu user list`: who is there.

use super::super::{context::Context, fail::Fail};

/// List people and open invites
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
