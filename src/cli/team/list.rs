//! `kefu team list`: the teams.

use serde_json::json;

use crate::{
    cli::{context::Context, error::CliError, out::Table, verified_directory::VerifiedDirectory},
    crypto::directory::TeamState,
    proto::TeamId,
};

/// List teams
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let company = VerifiedDirectory::open(ctx)?;
        let state = company.dir.state();
        let sites = |id: &TeamId| state.sites.values().filter(|s| s.team == *id).count();
        let value = |(id, t): (&TeamId, &TeamState)| {
            json!({"id": id, "name": t.name, "epoch": t.epoch, "on": t.on,
                "members": company.members(id).map(|(u, _)| u).collect::<Vec<_>>(), "sites": sites(id)})
        };
        let values = state.teams.iter().map(value).collect();
        let mut table = Table::new(&["id", "name", "members", "sites", "key"], "No teams yet: kefu team add ID");
        for (id, t) in &state.teams {
            let members = company.members(id).count().to_string();
            table.row([id.to_string(), t.name.clone(), members, sites(id).to_string(), format!("no. {}", t.epoch)]);
        }
        ctx.list("teams", values, &table);
        Ok(())
    }
}
