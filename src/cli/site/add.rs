//! `kefu site add`: a new site.

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
    org::SiteSettings,
    proto::{SiteId, TeamId},
};

/// Add a site
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the new site: 1 to 32 of a-z 0-9 . _ -
    #[arg(value_name = "ID")]
    id: SiteId,
    /// Origin of the pages, such as https://www.example.com; may be given several times
    #[arg(long = "origin", value_name = "URL", required = true, num_args = 1.., value_parser = args::origin)]
    origins: Vec<String>,
    /// The team that answers
    #[arg(long)]
    team: TeamId,
    /// Name that agents see [default: the id]
    #[arg(long, value_parser = args::display_name)]
    name: Option<String>,
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let name = self.name.clone().unwrap_or_else(|| self.id.to_string());
        let check = |company: &VerifiedDirectory| match company.dir.site(&self.id) {
            None => company.team(&self.team).map(|_| ()),
            Some(_) => Err(CliError::new(Kind::Exists, format!("site {} already exists", self.id))
                .hint(format!("kefu site change {} changes it", self.id))),
        };
        self.signing.act(ctx, check, |_, signer| {
            let settings = self.settings.onto(SiteSettings::default());
            Ok((signer.site_add(&self.id, &name, &self.origins, &self.team, settings)?, ()))
        })?;
        ctx.say(
            json!({"site": self.id, "name": name, "origins": self.origins, "team": self.team}),
            format!("Created site {}. For its pages: kefu site snippet {}", self.id, self.id),
        );
        Ok(())
    }
}
