//! `kefu directory show`: the log.

use super::super::{context::Context, fail::Fail};

/// Show the log
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only entries after this number
    #[arg(long, value_name = "SEQ")]
    after: Option<u32>,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
