//! `kefu team rotate`: a new key for a team.

use serde_json::json;

use crate::{
    cli::{context::Context, error::CliError, keys::Signing, out, verified_directory::VerifiedDirectory},
    proto::TeamId,
};

/// Give a team a new key
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the team
    #[arg(value_name = "ID")]
    id: TeamId,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let check = |company: &VerifiedDirectory| company.team(&self.id).map(|_| ());
        let epoch = self.signing.act(ctx, check, |company, signer| {
            Ok((signer.team_rotate(&self.id)?, company.team(&self.id)?.epoch + 1))
        })?;
        if ctx.json {
            out::print_json(&json!({"team": self.id, "epoch": epoch}));
        } else {
            out::line(format!(
                "Team {} has key no. {epoch}; conversations switch to it with their next message.",
                self.id
            ));
        }
        Ok(())
    }
}
