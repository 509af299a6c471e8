//! `kefu user enable` and `kefu user reset`: a new invite for a person of the directory, who comes back with new keys.

use crate::{
    cli::{
        args,
        context::Context,
        error::{CliError, Kind},
        invitation::Invitation,
        keys::Signing,
        verified_directory::VerifiedDirectory,
    },
    crypto::invite::InviteCode,
    org::{
        Commit,
        acts::{ActError, Signer},
    },
    proto::UserId,
};

/// The user to invite again, and for how long.
#[derive(Debug, clap::Args)]
struct Reinvite {
    /// Id of the person
    #[arg(value_name = "ID")]
    id: UserId,
    /// How long the invite is valid, such as 72h or 7d
    #[arg(long, value_name = "TIME", default_value = "72h", value_parser = args::parse_span)]
    ttl: u64,
    #[command(flatten)]
    signing: Signing,
}

impl Reinvite {
    /// Signs the act and prints the invite.
    fn invite(
        &self,
        ctx: &Context,
        check: impl Fn(&VerifiedDirectory) -> Result<(), CliError>,
        act: impl Fn(&Signer<'_>, &UserId, u64) -> Result<(Commit, InviteCode), ActError>,
    ) -> Result<(), CliError> {
        let invitation = self.signing.act(ctx, check, |company, signer| {
            let (commit, code) = act(signer, &self.id, self.ttl)?;
            Ok((commit, Invitation::renewed(company, &self.id, code, self.ttl)?))
        })?;
        invitation.print(ctx)
    }
}

/// Invite again a person who was switched off
#[derive(Debug, clap::Args)]
pub struct Enable {
    #[command(flatten)]
    reinvite: Reinvite,
}

impl Enable {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let id = &self.reinvite.id;
        let check = |company: &VerifiedDirectory| match company.user(id)? {
            user if user.active_key().is_none() => Ok(()),
            _ if company.is_late(id) => Err(CliError::new(Kind::Exists, format!("{id} is waiting for confirmation"))
                .hint(format!("ask {id}. If they enrolled: kefu user confirm {id}. If not: kefu user disable {id}"))),
            _ => Err(CliError::new(Kind::Exists, format!("{id} is not switched off"))
                .hint(format!("for a lost password: kefu user reset {id}"))),
        };
        self.reinvite.invite(ctx, check, |signer, id, ttl| signer.user_enable(id, ttl))
    }
}

/// Replace a lost password: ends the old keys and prints a new invite
#[derive(Debug, clap::Args)]
pub struct Reset {
    #[command(flatten)]
    reinvite: Reinvite,
}

impl Reset {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        self.reinvite.invite(
            ctx,
            |company| company.user(&self.reinvite.id).map(|_| ()),
            |signer, id, ttl| signer.user_reset(id, ttl),
        )
    }
}
