//! `kefu site snippet`: what to paste into the pages.

use serde_json::Value;

use crate::{
    cli::{company::Company, context::Context, fail::Fail, link::Office, out},
    proto::SiteId,
};

/// Print the script tag to paste into the pages of a site
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the site
    #[arg(value_name = "ID")]
    id: SiteId,
    /// Without hash and fingerprint: always the newest widget, and no proof of what it does
    #[arg(long)]
    unpinned: bool,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let office = Office::open(ctx)?;
        let company = Company::load(ctx, &office)?;
        let site = company.site(&self.id)?;
        if !site.on {
            eprintln!("note: site {} is off; its widget takes no conversations", self.id);
        }
        let how = if self.unpinned { "/unpinned" } else { "" };
        let answer = office.call("GET", &format!("/admin/snippet/{}{how}", self.id), None)?;
        office.close();
        if ctx.json {
            out::print_json(&answer);
            return Ok(());
        }
        let html = answer.get("snippet").and_then(Value::as_str);
        out::line(html.ok_or_else(|| Fail::failure("the server gave no snippet"))?.trim_end());
        Ok(())
    }
}
