//! `kefu directory verify`: replay the log.

use serde_json::json;

use crate::{
    cli::{
        admin_client::AdminClient,
        context::Context,
        error::{CliError, Kind},
        out,
        verified_directory::{VerifiedDirectory, pinned},
    },
    crypto::{codec::Hash32, hash},
};

/// Replay the log and check every signature
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The fingerprint it must begin with [default: that of the company keys, if they are here]
    #[arg(long, value_name = "K1-…")]
    org: Option<String>,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let admin = AdminClient::open(ctx)?;
        let view = admin.export()?;
        let pin = match &self.org {
            Some(text) => Some(hash::parse_org_fp(text).ok_or_else(|| {
                CliError::new(Kind::Usage, format!("{text:?} is not a fingerprint"))
                    .hint("it is k1- and 32 hexadecimal digits")
            })?),
            None => pinned(ctx),
        };
        let company = VerifiedDirectory::verify(view, pin, out::now_ms())?;
        let org = hash::org_fp_text(&company.dir.fp());
        let snapshot = company.view.snapshot.as_ref().map(|s| s.verify(&company.dir, company.now_ms));
        let (until, problem) = match snapshot {
            Some(Ok(body)) => (Some(body.until), None),
            Some(Err(e)) => (None, Some(e.to_string())),
            None => (None, Some("there is no snapshot".to_owned())),
        };
        if ctx.json {
            out::print_json(&json!({"org": org, "pinned": pin.is_some(), "entries": company.view.entries.len(),
                "head": Hash32(company.dir.head()), "snapshot_until": until, "problem": problem}));
        } else {
            out::line(format!(
                "{} entries of {} ({org}): every signature is valid.",
                company.view.entries.len(),
                company.org()
            ));
            if pin.is_none() {
                out::line(
                    "The fingerprint is what the directory itself claims: compare it with the one in your pages, or give --org.",
                );
            }
            if let Some(until) = until {
                out::line(format!("The snapshot matches and is valid until {}.", out::date(until)));
            }
        }
        match problem {
            None => Ok(()),
            Some(_) if ctx.json => Err(CliError::silent()),
            Some(problem) => Err(CliError::failure(problem).hint("kefu directory refresh signs a new snapshot")),
        }
    }
}
