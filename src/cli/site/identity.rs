//! `kefu site identity`: the keys with which a site's own backend vouches for its customers.

use std::{fs, path::PathBuf};

use serde_json::json;

use super::identity_key;
use crate::{
    cli::{
        context::Context,
        error::{CliError, Kind},
        io_error::cannot,
        keys::Signing,
        verified_directory::VerifiedDirectory,
    },
    crypto::directory::{IdentityBody, IdentityKey, MAX_IDENTITY_KEYS},
    proto::SiteId,
};

/// Certify the keys that vouch for a site's signed-in customers; without options, list them
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the site
    #[arg(value_name = "ID")]
    id: SiteId,
    /// Add a public key of your backend: PEM or JWK, Ed25519 or P-256
    #[arg(long = "key", value_name = "FILE")]
    add: Vec<PathBuf>,
    /// Remove a key, by its thumbprint as listed
    #[arg(long, value_name = "THUMBPRINT")]
    remove: Vec<String>,
    /// List the keys; changes nothing
    #[arg(long, conflicts_with_all = ["add", "remove"])]
    list: bool,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        if self.list || (self.add.is_empty() && self.remove.is_empty()) {
            let company = VerifiedDirectory::open(ctx)?;
            company.site(&self.id)?;
            self.say(ctx, &IdentityBody::of_site(&company.view.entries, &self.id));
            return Ok(());
        }
        let new: Vec<IdentityKey> = self.add.iter().map(key_in).collect::<Result<_, _>>()?;
        let after = |company: &VerifiedDirectory| {
            company.site(&self.id)?;
            self.changed(IdentityBody::of_site(&company.view.entries, &self.id), &new)
        };
        let keys = self.signing.act(
            ctx,
            |company| after(company).map(|_| ()),
            |company, signer| {
                let keys = after(company)?;
                Ok((signer.site_identity(&self.id, keys.clone())?, keys))
            },
        )?;
        self.say(ctx, &keys);
        Ok(())
    }

    /// The keys with what was asked for changed.
    fn changed(&self, mut keys: Vec<IdentityKey>, new: &[IdentityKey]) -> Result<Vec<IdentityKey>, CliError> {
        for thumbprint in &self.remove {
            let before = keys.len();
            keys.retain(|key| key.thumbprint() != *thumbprint);
            if keys.len() == before {
                return Err(CliError::failure(format!("site {} has no key {thumbprint}", self.id))
                    .hint(format!("kefu site identity {} lists them", self.id)));
            }
        }
        for key in new {
            if keys.contains(key) {
                let what = format!("site {} already has the key {}", self.id, key.thumbprint());
                return Err(CliError::new(Kind::Exists, what));
            }
            keys.push(key.clone());
        }
        if keys.len() > MAX_IDENTITY_KEYS {
            return Err(CliError::failure(format!("a site can have {MAX_IDENTITY_KEYS} keys at most")).hint(format!(
                "remove one that is not used any more: kefu site identity {} --remove THUMBPRINT",
                self.id
            )));
        }
        Ok(keys)
    }

    fn say(&self, ctx: &Context, keys: &[IdentityKey]) {
        let lines: Vec<String> = keys.iter().map(|k| format!("{}  {}", alg(k), k.thumbprint())).collect();
        let text = match lines.is_empty() {
            true => format!("No key vouches for visitors of site {}.", self.id),
            false => format!("These keys vouch for visitors of site {}:\n{}", self.id, lines.join("\n")),
        };
        let list: Vec<_> = keys.iter().map(|k| json!({ "alg": k.alg, "thumbprint": k.thumbprint() })).collect();
        ctx.say(json!({ "site": self.id, "keys": list }), text);
    }
}

fn alg(key: &IdentityKey) -> &'static str {
    match key.alg {
        crate::crypto::directory::IdentityAlg::Es256 => "ES256",
        crate::crypto::directory::IdentityAlg::EdDsa => "EdDSA",
    }
}

fn key_in(path: &PathBuf) -> Result<IdentityKey, CliError> {
    let size = fs::metadata(path).map_err(|e| cannot("read", path, &e))?.len();
    let text = match size {
        0..=identity_key::MAX_FILE => fs::read_to_string(path).map_err(|e| cannot("read", path, &e))?,
        _ => String::new(),
    };
    identity_key::read(&text).map_err(|why| {
        CliError::failure(format!("{} {why}", path.display())).hint("docs/widget.md shows how to make a key")
    })
}
