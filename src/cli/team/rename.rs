//! `kefu team rename`: another name, the same id.

use serde_json::json;

use crate::{
    cli::{args, context::Context, error::CliError, keys::Signing, verified_directory::VerifiedDirectory},
    proto::TeamId,
};

/// Give a team another name
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the team
    #[arg(value_name = "ID")]
    id: TeamId,
    /// The new name
    #[arg(value_parser = args::display_name)]
    name: String,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let check = |company: &VerifiedDirectory| company.team(&self.id).map(|_| ());
        self.signing.act(ctx, check, |_, signer| Ok((signer.team_rename(&self.id, &self.name)?, ())))?;
        ctx.say(json!({"team": self.id, "name": self.name}), format!("Team {} is now named {}.", self.id, self.name));
        Ok(())
    }
}
