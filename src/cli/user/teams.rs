//! `kefu user teams`: change the teams of a person.

use std::collections::BTreeSet;

use serde_json::json;

use crate::{
    cli::{
        context::Context,
        error::{CliError, Kind},
        keys::Signing,
        out,
        verified_directory::VerifiedDirectory,
    },
    proto::{TeamId, UserId},
};

/// Change the teams of a person
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the person
    #[arg(value_name = "ID")]
    id: UserId,
    /// All teams of the person; replaces the present ones
    #[arg(value_name = "TEAM")]
    teams: Vec<TeamId>,
    /// Add these teams instead
    #[arg(long, value_name = "TEAM", conflicts_with = "teams")]
    add: Vec<TeamId>,
    /// Remove these teams instead
    #[arg(long, value_name = "TEAM", conflicts_with = "teams")]
    remove: Vec<TeamId>,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        if self.teams.is_empty() && self.add.is_empty() && self.remove.is_empty() {
            return Err(CliError::new(Kind::Usage, "no team was named")
                .hint("name all teams of the person, or use --add and --remove"));
        }
        let wanted = |company: &VerifiedDirectory| -> Result<Vec<TeamId>, CliError> {
            let present = company.user(&self.id)?.teams.clone();
            let named = self.teams.iter().chain(&self.add).chain(&self.remove);
            named.into_iter().try_for_each(|t| company.team(t).map(|_| ()))?;
            let mut teams = if self.teams.is_empty() { present } else { self.teams.clone() };
            teams.extend(self.add.iter().cloned());
            teams.retain(|t| !self.remove.contains(t));
            let mut seen = BTreeSet::new();
            teams.retain(|t| seen.insert(t.clone()));
            Ok(teams)
        };
        let teams = self.signing.act(
            ctx,
            |company| wanted(company).map(|_| ()),
            |company, signer| {
                let teams = wanted(company)?;
                Ok((signer.user_teams(&self.id, &teams)?, teams))
            },
        )?;
        if ctx.json {
            out::print_json(&json!({"user": self.id, "teams": teams}));
        } else {
            let names: Vec<&str> = teams.iter().map(TeamId::as_str).collect();
            let place = if names.is_empty() { "no team".into() } else { names.join(", ") };
            out::line(format!("{} is now in {place}.", self.id));
        }
        Ok(())
    }
}
