//! `kefu user list`: who is there.

use serde_json::json;

use super::{people, waiting};
use crate::cli::{
    context::Context,
    error::CliError,
    out::{self, Table},
    verified_directory::VerifiedDirectory,
};

/// List people and open invites
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let company = VerifiedDirectory::open(ctx)?;
        let people = people::all(&company);
        let mut table = Table::new(&["id", "name", "role", "teams", "state"], "Nobody yet: kefu user add ID");
        for p in people.values() {
            let state = p.state_text(company.now_ms);
            table.row([p.id.to_string(), p.name.clone(), p.role.to_string(), p.teams_text(), state]);
        }
        ctx.list("users", people.values().map(|p| json!(p)).collect(), &table);
        company.warn();
        if !ctx.json {
            for (what, next) in waiting::late(&company).iter().map(|n| n.words(company.now_ms)) {
                out::line(format!("note: {what}\n      {next}"));
            }
        }
        Ok(())
    }
}
