//! `kefu user reset`: a new invite for a person who lost the password.

use super::invitation::Invitation;
use crate::{
    cli::{company::Company, context::Context, fail::Fail, keys::Signing},
    proto::UserId,
};

/// Replace a lost password: the old keys end, and a new invite is printed
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
        let check = |company: &Company| company.user(&self.id).map(|_| ());
        let invitation = self.signing.act(ctx, check, |company, signer| {
            let (commit, code) = signer.user_reset(&self.id, self.ttl)?;
            Ok((commit, Invitation::again(company, &self.id, code, self.ttl)?))
        })?;
        invitation.print(ctx);
        Ok(())
    }
}
