//! `kefu doctor`: what is wrong, or soon will be.

use super::{context::Context, fail::Fail};

/// Look for problems; exit code 1 if there are any
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
