//! `kefu site off`: its widgets take no new conversations.

use serde_json::json;

use crate::{
    cli::{
        context::Context,
        error::{CliError, Kind},
        keys::Signing,
        verified_directory::VerifiedDirectory,
    },
    org::acts::SiteChange,
    proto::SiteId,
};

/// Switch a site off
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the site
    #[arg(value_name = "ID")]
    id: SiteId,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let check = |company: &VerifiedDirectory| match company.site(&self.id)? {
            site if site.on => Ok(()),
            _ => Err(CliError::new(Kind::Exists, format!("site {} is already off", self.id))),
        };
        self.signing.act(ctx, check, |_, signer| {
            let off = SiteChange { on: Some(false), ..SiteChange::default() };
            Ok((signer.site_change(&self.id, off)?, ()))
        })?;
        ctx.say(
            json!({"site": self.id, "on": false}),
            format!("Site {} is off. Switch it on again: kefu site change {} --on", self.id, self.id),
        );
        Ok(())
    }
}
