//! `kefu directory refresh`: a new snapshot.

use serde_json::json;

use crate::cli::{context::Context, fail::Fail, keys::Signing, out};

/// Sign a new snapshot, so that visitors go on trusting the directory
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long it is good, such as 30d; at most 180d
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = super::super::args::parse_span)]
    ttl: u64,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let until = self.signing.act(
            ctx,
            |_| Ok(()),
            |company, draft| {
                draft.snapshot_life(self.ttl);
                Ok(company.now_ms + self.ttl)
            },
        )?;
        if ctx.json {
            out::print_json(&json!({"until": until}));
        } else {
            out::line(format!("Visitors trust the directory until {}.", out::date(until)));
        }
        Ok(())
    }
}
