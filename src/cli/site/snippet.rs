//! `kefu site snippet`: what to paste into the pages.

use serde_json::Value;

use crate::{
    cli::{admin_client::AdminClient, context::Context, error::CliError, out, verified_directory::VerifiedDirectory},
    crypto::hash,
    proto::SiteId,
};

/// Print the script tag to paste into the pages of a site
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the site
    #[arg(value_name = "ID")]
    id: SiteId,
    /// Without hash and fingerprint: always the newest widget, without verification
    #[arg(long)]
    unpinned: bool,
    /// All of the widget in one file, for pages whose policy lets no second script load
    #[arg(long, conflicts_with = "unpinned")]
    single: bool,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let admin = AdminClient::open(ctx)?;
        let company = VerifiedDirectory::load(ctx, &admin)?;
        let site = company.site(&self.id)?;
        if !site.on {
            eprintln!("note: site {} is off; its widget takes no conversations", self.id);
        }
        let how = match (self.unpinned, self.single) {
            (true, _) => "/unpinned",
            (_, true) => "/single",
            _ => "",
        };
        let answer = admin.call("GET", &format!("/admin/snippet/{}{how}", self.id), None)?;
        admin.close();
        let html = answer.get("snippet").and_then(Value::as_str);
        let html = html.ok_or_else(|| CliError::failure("the server returned no snippet"))?;
        // the pin is what pages trust: it is the fingerprint that the log was verified under, not what the server writes
        let pin = format!("data-org=\"{}\"", hash::org_fp_text(&company.dir.fp()));
        if html.matches("<script").count() != 1 || (!self.unpinned && html.matches("data-org").count() != 1) {
            return Err(CliError::failure("the server returned something other than a snippet"));
        }
        if !self.unpinned && !html.contains(&pin) {
            return Err(CliError::failure("the server's snippet pins another company's key")
                .hint("do not use it in any page; compare kefu directory verify with a backup"));
        }
        if ctx.json {
            out::print_json(&answer);
            return Ok(());
        }
        out::line(html.trim_end());
        Ok(())
    }
}
