//! `kefu site show`: all about one site.

use serde_json::json;

use super::{form, outdated::OutdatedWidgets};
use crate::{
    cli::{admin_client::AdminClient, context::Context, error::CliError, out, verified_directory::VerifiedDirectory},
    proto::SiteId,
};

/// Show a site
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the site
    #[arg(value_name = "ID")]
    id: SiteId,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let admin = AdminClient::open(ctx)?;
        let (company, old) = (VerifiedDirectory::load(ctx, &admin), OutdatedWidgets::ask(&admin));
        admin.close();
        let company = company?;
        let site = company.site(&self.id)?;
        let settings = company.view.sites.get(&self.id).cloned().unwrap_or_default();
        if ctx.json {
            out::print_json(&json!({"id": self.id, "name": site.name, "origins": site.origins, "team": site.team,
                "on": site.on, "robot": site.bot, "form": settings.form, "greeting": settings.greeting, "away": settings.away, "rating": settings.rating,
                "require_secure": settings.require_secure, "old_widgets": old.of(&self.id).collect::<Vec<_>>()}));
            return Ok(());
        }
        let old: Vec<String> = old
            .of(&self.id)
            .map(|s| {
                let seen = out::relative(s.seen, company.now_ms);
                let how = if s.is_unsafe { " (UNSAFE)" } else { "" };
                format!("{}{how}, last {seen}; paste the new one: kefu site snippet {}", s.version, s.site)
            })
            .collect();
        let mut facts = vec![
            ("id", self.id.to_string()),
            ("name", site.name.clone()),
            ("team", site.team.to_string()),
            ("origins", site.origins.join(", ")),
            ("form", form::words(&settings.form)),
            ("greeting", settings.greeting),
            ("when away", settings.away),
            ("rating", if settings.rating { "asked" } else { "not asked" }.into()),
            ("https only", if settings.require_secure { "yes" } else { "no" }.into()),
            ("robot", site.bot.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("state", if site.on { "on" } else { "off" }.into()),
        ];
        facts.extend(old.into_iter().map(|old| ("old widget", old)));
        out::facts(&facts);
        Ok(())
    }
}
