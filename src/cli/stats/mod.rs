//! `kefu stats`: what the server is doing.

use super::{context::Context, fail::Fail};

/// Show what the server is doing
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A wall that renews itself; q ends it
    #[arg(long, conflicts_with = "json")]
    watch: bool,
    /// Seconds between renewals
    #[arg(long, value_name = "SECONDS", default_value = "1", requires = "watch", value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
