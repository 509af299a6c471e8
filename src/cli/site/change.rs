//! `kefu site change`: other origins, team, name or form.

use serde_json::json;

use super::SettingsArgs;
use crate::{
    cli::{
        args,
        context::Context,
        error::{CliError, Kind},
        keys::Signing,
        verified_directory::VerifiedDirectory,
    },
    org::acts::SiteChange,
    proto::{SiteId, TeamId},
};

/// Change a site; everything not named stays the same
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the site
    #[arg(value_name = "ID")]
    id: SiteId,
    /// All origins of the site; replaces the present ones
    #[arg(long = "origin", value_name = "URL", num_args = 1.., value_parser = args::origin)]
    origins: Vec<String>,
    /// The team that answers
    #[arg(long)]
    team: Option<TeamId>,
    /// Name that agents see
    #[arg(long, value_parser = args::display_name)]
    name: Option<String>,
    /// Switch the site on again
    #[arg(long)]
    on: bool,
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let nothing = self.origins.is_empty() && self.team.is_none() && self.name.is_none() && !self.on;
        if nothing && self.settings.is_empty() {
            return Err(CliError::new(Kind::Usage, "no change was given").hint("kefu site change --help"));
        }
        let check = |company: &VerifiedDirectory| {
            company.site(&self.id)?;
            self.team.iter().try_for_each(|t| company.team(t).map(|_| ()))
        };
        self.signing.act(ctx, check, |company, signer| {
            let settings = (!self.settings.is_empty())
                .then(|| self.settings.onto(company.view.sites.get(&self.id).cloned().unwrap_or_default()));
            let change = SiteChange {
                name: self.name.clone(),
                origins: Some(self.origins.clone()).filter(|o| !o.is_empty()),
                team: self.team.clone(),
                on: self.on.then_some(true),
                settings,
            };
            Ok((signer.site_change(&self.id, change)?, ()))
        })?;
        ctx.say(json!({"site": self.id, "changed": true}), format!("Changed site {}.", self.id));
        Ok(())
    }
}
