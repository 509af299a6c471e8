//! `kefu user enable`: a new invite for a person who was switched off.

use super::invitation::Invitation;
use crate::{
    cli::{
        company::Company,
        context::Context,
        fail::{Fail, Kind},
        keys::Signing,
    },
    proto::UserId,
};

/// Invite a person again who was switched off
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the person
    #[arg(value_name = "ID")]
    id: UserId,
    /// How long the invite is good, such as 72h or 7d
    #[arg(long, value_name = "TIME", default_value = "72h", value_parser = super::super::args::parse_span)]
    ttl: u64,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let check = |company: &Company| match company.user(&self.id)? {
            user if user.active_key().is_none() => Ok(()),
            _ => Err(Fail::new(Kind::Exists, format!("{} is not switched off", self.id))
                .next(format!("for a lost password: kefu user reset {}", self.id))),
        };
        let invitation = self.signing.act(ctx, check, |company, signer| {
            let (commit, code) = signer.user_enable(&self.id, self.ttl)?;
            Ok((commit, Invitation::again(company, &self.id, code, self.ttl)?))
        })?;
        invitation.print(ctx);
        Ok(())
    }
}
