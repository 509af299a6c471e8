//! `kefu site list`: the sites.

use serde_json::json;

use super::outdated::OutdatedWidgets;
use crate::cli::{
    admin_client::AdminClient,
    context::Context,
    error::CliError,
    out::{self, Table},
    verified_directory::VerifiedDirectory,
};

/// List sites
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let admin = AdminClient::open(ctx)?;
        let (company, old) = (VerifiedDirectory::load(ctx, &admin), OutdatedWidgets::ask(&admin));
        admin.close();
        let company = company?;
        let sites = &company.dir.state().sites;
        let values = sites
            .iter()
            .map(|(id, s)| {
                json!({"id": id, "name": s.name, "origins": s.origins, "team": s.team, "on": s.on,
                    "old_widgets": old.of(id).collect::<Vec<_>>()})
            })
            .collect();
        let mut table = Table::new(
            &["id", "name", "team", "origins", "state"],
            "No sites yet: kefu site add ID --origin URL --team TEAM",
        );
        for (id, s) in sites {
            let state = if s.on { "on" } else { "off" }.to_owned();
            table.row([id.to_string(), s.name.clone(), s.team.to_string(), s.origins.join(", "), state]);
        }
        ctx.list("sites", values, &table);
        if !ctx.json {
            for (_, what, next) in old.lines(company.now_ms) {
                out::line(format!("note: {what}\n      {next}"));
            }
        }
        Ok(())
    }
}
