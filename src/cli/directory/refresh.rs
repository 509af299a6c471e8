//! `kefu directory refresh`: a new snapshot.

use super::super::{context::Context, fail::Fail, keys::Signing};

/// Sign a new snapshot, so that visitors go on trusting the directory
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long it is good, such as 30d; at most 180d
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = super::super::context::parse_span)]
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
