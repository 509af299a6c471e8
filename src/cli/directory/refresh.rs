//! `kefu directory refresh`: a new snapshot.

use serde_json::json;

use crate::org::acts::{DAY_MS, SNAPSHOT_DAYS};

use crate::cli::{context::Context, fail::Fail, keys::Signing, out};

/// Sign a new snapshot, so that visitors go on trusting the directory
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many days it is good
    #[arg(long, value_name = "DAYS", default_value_t = SNAPSHOT_DAYS, value_parser = clap::value_parser!(u64).range(1..=180))]
    days: u64,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let until = self.signing.act(
            ctx,
            |_| Ok(()),
            |company, signer| Ok((signer.snapshot(self.days)?, company.now_ms + self.days * DAY_MS)),
        )?;
        if ctx.json {
            out::print_json(&json!({"until": until}));
        } else {
            out::line(format!("Visitors trust the directory until {}.", out::date(until)));
        }
        Ok(())
    }
}
