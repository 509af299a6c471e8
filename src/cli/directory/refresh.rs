//! `kefu directory refresh`: a new snapshot.

use serde_json::json;

use crate::{
    cli::{context::Context, error::CliError, keys::Signing, out, user::waiting},
    org::acts::DAY_MS,
};

/// Sign a new snapshot, so that visitors continue to trust the directory
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many days it is valid [default: directory.freshness_days of the configuration]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=180))]
    days: Option<u32>,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let days = u64::from(self.days.unwrap_or(ctx.load_config()?.directory.freshness_days));
        let (until, confirmed, waits) = self.signing.act(
            ctx,
            |_| Ok(()),
            |company, signer| {
                let (late, in_time): (Vec<_>, Vec<_>) = waiting::all(company).into_iter().partition(|n| n.late);
                Ok((signer.snapshot(days)?, (company.now_ms + days * DAY_MS, in_time, late)))
            },
        )?;
        if ctx.json {
            let confirmed: Vec<_> = confirmed.iter().map(|n| &n.user).collect();
            out::print_json(&json!({"until": until, "confirmed": confirmed, "waiting": waits}));
            return Ok(());
        }
        out::line(format!("Visitors trust the directory until {}.", out::date(until)));
        for n in confirmed {
            out::line(format!("{} is confirmed: enrolled with an invite by {}.", n.user, n.invited_by));
        }
        for (what, next) in waits.iter().map(|n| n.words(out::now_ms())) {
            out::line(format!("note: {what}\n      {next}"));
        }
        Ok(())
    }
}
