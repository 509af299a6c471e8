//! `kefu team list`: the teams.

use super::super::{context::Context, fail::Fail};

/// List teams
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
