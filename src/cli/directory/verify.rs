//! `kefu directory verify`: replay the log.

use super::super::{context::Context, fail::Fail};

/// Replay the log and check every signature
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The fingerprint it must begin with [default: that of the company keys, if they are here]
    #[arg(long, value_name = "K1-…")]
    org: Option<String>,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
