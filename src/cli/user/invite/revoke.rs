//! `kefu user invite revoke`: revoke an invite.

use serde_json::json;

use crate::{
    cli::{context::Context, error::CliError, keys::Signing, verified_directory::VerifiedDirectory},
    proto::UserId,
};

/// Revoke the open invites of a person
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
        let check =
            |company: &VerifiedDirectory| match company.believed.all().any(|i| i.user == self.id) {
                true => Ok(()),
                false => Err(CliError::failure(format!("{} has no open invite", self.id))
                    .hint("kefu user invite list shows all")),
            };
        let count = self.signing.act(ctx, check, |company, signer| {
            let count = company.believed.all().filter(|i| i.user == self.id).count();
            Ok((signer.revoke_of(&self.id)?, count))
        })?;
        ctx.say(json!({"user": self.id, "revoked": count}), format!("The invite for {} was revoked.", self.id));
        Ok(())
    }
}
