//! `kefu tls renew`: a new certificate under kefu's own authority, for other names if wanted.

use serde_json::json;

use crate::{
    cli::{
        context::Context,
        data_dir::{self, TLS},
        error::CliError,
        out,
    },
    tls::{self, CA_CERT, CA_KEY, Files, known_hosts},
};

/// Create a new certificate; a running server uses it within half a minute
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The authority is valid for the names it was made for and their subdomains. Other names need a new one, \
                        and browsers must then be told to trust the new tls/ca.pem."
)]
pub struct Args {
    /// All names and addresses it is for [default: the present ones]
    #[arg(long = "host", value_name = "NAME", num_args = 1..)]
    hosts: Vec<String>,
    /// Also create a new authority: browsers that trusted the old one must be told to trust it
    #[arg(long)]
    new_authority: bool,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        data_dir::require_initialised(&ctx.data_dir)?;
        let dir = ctx.file(TLS);
        if !dir.join(CA_KEY).exists() {
            return Err(CliError::failure(format!("the certificate in {} was not made by kefu", dir.display()))
                .hint("put the new files where the old ones are, or name them in [tls]: a running server loads them"));
        }
        let now = out::now_ms();
        let hosts = if self.hosts.is_empty() { known_hosts(&dir)? } else { self.hosts };
        match self.new_authority {
            true => tls::replace_authority(&dir, &hosts, now)?,
            false => tls::renew(&dir, Some(&hosts), now)?,
        }
        let until = Files::own(&dir).load_good(now)?.good.end;
        let trust = match self.new_authority {
            true => format!("\nBrowsers must be told to trust {}.", dir.join(CA_CERT).display()),
            false => String::new(),
        };
        let words =
            format!("The new certificate is for {}, valid until {}.{trust}", hosts.join(", "), out::date(until));
        ctx.say(json!({"hosts": hosts, "until": until, "new_authority": self.new_authority}), words);
        Ok(())
    }
}
