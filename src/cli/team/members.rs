//! `kefu team members`: who is in a team.

use serde_json::json;

use crate::{
    cli::{
        context::Context,
        error::CliError,
        out::{self, Table},
        verified_directory::VerifiedDirectory,
    },
    proto::TeamId,
};

/// List the people of a team
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the team
    #[arg(value_name = "ID")]
    id: TeamId,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let company = VerifiedDirectory::open(ctx)?;
        company.team(&self.id)?;
        let members: Vec<_> = company.members(&self.id).collect();
        if ctx.json {
            let members: Vec<_> =
                members.iter().map(|(id, u)| json!({"id": id, "name": u.name, "role": u.role})).collect();
            out::print_json(&json!({"team": self.id, "members": members}));
            return Ok(());
        }
        let mut table = Table::new(&["id", "name", "role"], "Nobody is in this team: kefu user teams ID --add TEAM");
        for (id, user) in members {
            table.row([id.to_string(), user.name.clone(), user.role.to_string()]);
        }
        table.print();
        Ok(())
    }
}
