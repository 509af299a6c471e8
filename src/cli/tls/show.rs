//! `kefu tls show`: until when the certificate is good, and what its authority may vouch for.

use serde_json::json;

use crate::{
    cli::{
        context::Context,
        data_dir::{self, TLS},
        error::CliError,
        out,
    },
    tls::{CA_CERT, CA_KEY, Files, constrained, known_hosts},
};

/// Show the certificate in the data directory
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        data_dir::require_initialised(&ctx.data_dir)?;
        let tls = ctx.file(TLS);
        let (pair, made) = (Files::own(&tls).load()?, tls.join(CA_KEY).exists());
        let hosts = if made { known_hosts(&tls)? } else { Vec::new() };
        let bound = made && constrained(&tls);
        if ctx.json {
            out::print_json(&json!({"until": pair.good.end, "made": made, "hosts": hosts, "constrained": bound}));
            return Ok(());
        }
        let (until, now) = (pair.good.end, out::now_ms());
        let until = format!("{} ({})", out::date(until), out::relative(until, now));
        if !made {
            out::facts(&[("valid until", until), ("made by", "another authority".into())]);
            return Ok(());
        }
        let vouches = match bound {
            true => "the names it was made for, their subdomains, and this machine's loopback",
            false => "any name: kefu tls renew --new-authority creates one that is restricted",
        };
        out::facts(&[
            ("valid until", until),
            ("for", hosts.join(", ")),
            ("authority", tls.join(CA_CERT).display().to_string()),
            ("valid for", vouches.into()),
        ]);
        Ok(())
    }
}
