//! `kefu user confirm`: confirm that a person who enrolled is the invited one.

use serde_json::json;

use super::waiting;
use crate::{
    cli::{
        context::Context,
        error::{CliError, Kind},
        keys::Signing,
        verified_directory::VerifiedDirectory,
    },
    proto::UserId,
};

/// Confirm a person who enrolled and waits, after you asked them
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the person
    #[arg(value_name = "ID")]
    id: UserId,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let check = |company: &VerifiedDirectory| {
            company.user(&self.id)?;
            match waiting::all(company).iter().any(|n| n.user == self.id) {
                true => Ok(()),
                false => Err(CliError::new(Kind::Exists, format!("{} is not waiting for confirmation", self.id))
                    .hint(format!("kefu user show {}", self.id))),
            }
        };
        self.signing.act(ctx, check, |_, signer| Ok((signer.user_confirm(&self.id)?, ())))?;
        ctx.say(json!({"user": self.id, "confirmed": true}), format!("{} is confirmed.", self.id));
        Ok(())
    }
}
