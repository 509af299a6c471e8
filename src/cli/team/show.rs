//! `kefu team show`: all about one team.

use serde_json::json;

use crate::{
    cli::{context::Context, error::CliError, out, verified_directory::VerifiedDirectory},
    crypto::directory::SiteState,
    proto::TeamId,
};

/// Show a team
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
        let team = company.team(&self.id)?;
        let members: Vec<&str> = company.members(&self.id).map(|(id, _)| id.as_str()).collect();
        let of_team = |s: &&SiteState| s.team == self.id;
        let sites: Vec<&str> =
            company.dir.state().sites.iter().filter(|(_, s)| of_team(s)).map(|(id, _)| id.as_str()).collect();
        if ctx.json {
            out::print_json(&json!({"id": self.id, "name": team.name, "epoch": team.epoch, "on": team.on,
                "pk": team.pk, "members": members, "sites": sites}));
            return Ok(());
        }
        out::facts(&[
            ("id", self.id.to_string()),
            ("name", team.name.clone()),
            ("members", members.join(", ")),
            ("sites", sites.join(", ")),
            ("key", format!("no. {}, {}", team.epoch, team.pk)),
        ]);
        Ok(())
    }
}
