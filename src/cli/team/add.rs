//! `kefu team add`: a new team with its key.

use serde_json::json;

use crate::{
    cli::{
        args,
        context::Context,
        error::{CliError, Kind},
        keys::Signing,
        verified_directory::VerifiedDirectory,
    },
    proto::TeamId,
};

/// Add a team
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the new team: 1 to 32 of a-z 0-9 . _ -
    #[arg(value_name = "ID")]
    id: TeamId,
    /// Name that visitors and colleagues see [default: the id]
    #[arg(long, value_parser = args::display_name)]
    name: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let name = self.name.clone().unwrap_or_else(|| self.id.to_string());
        let check = |company: &VerifiedDirectory| match company.dir.team(&self.id) {
            None => Ok(()),
            Some(_) => Err(CliError::new(Kind::Exists, format!("team {} already exists", self.id))
                .hint(format!("kefu team show {}", self.id))),
        };
        self.signing.act(ctx, check, |_, signer| Ok((signer.team_add(&self.id, &name)?, ())))?;
        ctx.say(
            json!({"team": self.id, "name": name, "epoch": 1}),
            format!("Created team {}. Add people: kefu user add ID --team {}", self.id, self.id),
        );
        Ok(())
    }
}
