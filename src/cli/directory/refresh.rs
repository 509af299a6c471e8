//! `kefu directory refresh`: a new snapshot.

use serde_json::json;

use crate::{
    cli::{context::Context, fail::Fail, keys::Signing, out},
    org::acts::DAY_MS,
};

/// Sign a new snapshot, so that visitors go on trusting the directory
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many days it is good [default: directory.freshness_days of the configuration]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=180))]
    days: Option<u32>,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let days = u64::from(self.days.unwrap_or(ctx.load_config()?.directory.freshness_days));
        let until = self.signing.act(
            ctx,
            |_| Ok(()),
            |company, signer| Ok((signer.snapshot(days)?, company.now_ms + days * DAY_MS)),
        )?;
        ctx.say(json!({"until": until}), format!("Visitors trust the directory until {}.", out::date(until)));
        Ok(())
    }
}
