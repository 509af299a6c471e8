//! `kefu user disable`: switch a person off.

use serde_json::json;

use super::last_admin::LastAdmin;
use crate::{
    cli::{
        context::Context,
        error::{CliError, Kind},
        keys::Signing,
        out,
        verified_directory::VerifiedDirectory,
    },
    proto::TeamId,
    proto::UserId,
};

/// Switch a person off and rotate the keys of the teams
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the person
    #[arg(value_name = "ID")]
    id: UserId,
    #[command(flatten)]
    last_admin: LastAdmin,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let check = |company: &VerifiedDirectory| match company.user(&self.id)? {
            user if user.on => self.last_admin.check(company, &self.id),
            _ => Err(CliError::new(Kind::Exists, format!("{} is already switched off", self.id))),
        };
        let teams = self.signing.act(ctx, check, |company, signer| {
            Ok((signer.user_disable(&self.id)?, company.user(&self.id)?.teams.clone()))
        })?;
        if ctx.json {
            out::print_json(&json!({"user": self.id, "state": "disabled", "rotated": teams}));
            return Ok(());
        }
        let rotated: Vec<&str> = teams.iter().map(TeamId::as_str).collect();
        out::line(format!("{} is switched off and signed out.", self.id));
        if !rotated.is_empty() {
            out::line(format!("New messages use new keys in: {}.", rotated.join(", ")));
        }
        Ok(())
    }
}
