//! `kefu site list`: the sites.

use serde_json::json;

use crate::cli::{company::Company, context::Context, fail::Fail, out::Table};

/// List sites
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let company = Company::open(ctx)?;
        let sites = &company.dir.state().sites;
        let values = sites
            .iter()
            .map(|(id, s)| json!({"id": id, "name": s.name, "origins": s.origins, "team": s.team, "on": s.on}))
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
        Ok(())
    }
}
