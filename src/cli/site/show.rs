//! `kefu site show`: all about one site.

use serde_json::json;

use super::form;
use crate::{
    cli::{company::Company, context::Context, fail::Fail, out},
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
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let company = Company::open(ctx)?;
        let site = company.site(&self.id)?;
        let settings = company.view.sites.get(&self.id).cloned().unwrap_or_default();
        if ctx.json {
            out::print_json(&json!({"id": self.id, "name": site.name, "origins": site.origins, "team": site.team,
                "on": site.on, "robot": site.bot, "form": settings.form, "greeting": settings.greeting}));
            return Ok(());
        }
        out::facts(&[
            ("id", self.id.to_string()),
            ("name", site.name.clone()),
            ("team", site.team.to_string()),
            ("origins", site.origins.join(", ")),
            ("form", form::words(&settings.form)),
            ("greeting", settings.greeting),
            ("robot", site.bot.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("state", if site.on { "on" } else { "off" }.into()),
        ]);
        Ok(())
    }
}
