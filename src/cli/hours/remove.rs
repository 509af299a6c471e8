//! `kefu hours remove`.

use serde_json::json;

use super::{find, write};
use crate::{
    cli::{admin_client::AdminClient, context::Context, error::CliError},
    proto::TeamId,
};

/// Remove the hours of a team: it is always at work then
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the team
    #[arg(value_name = "TEAM")]
    id: TeamId,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let admin = AdminClient::open(ctx)?;
        let removed = find(&admin, &self.id).and_then(|_| write(&admin, &self.id, None));
        admin.close();
        removed?;
        ctx.say(json!({ "team": self.id }), format!("Team {} is always at work now.", self.id));
        Ok(())
    }
}
