//! `kefu user add`: invite a person.

use super::{
    people::{self, Person, State},
    role::RoleArg,
};
use crate::{
    cli::{
        args,
        context::Context,
        error::{CliError, Kind},
        invitation::Invitation,
        keys::Signing,
        verified_directory::VerifiedDirectory,
    },
    org::acts::NewUser,
    proto::{TeamId, UserId},
};

/// Invite a person, who creates the account with the printed code
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Login name: 1 to 32 of a-z 0-9 . _ -
    #[arg(value_name = "ID")]
    id: UserId,
    /// Name that visitors and colleagues see [default: the id]
    #[arg(long, value_parser = args::display_name)]
    name: Option<String>,
    /// What the person may do
    #[arg(long, value_enum, default_value = "agent")]
    role: RoleArg,
    /// Team of the person; may be given several times
    #[arg(long = "team", value_name = "TEAM")]
    teams: Vec<TeamId>,
    /// How long the invite is valid, such as 72h or 7d
    #[arg(long, value_name = "TIME", default_value = "72h", value_parser = super::super::args::parse_span)]
    ttl: u64,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let name = self.name.clone().unwrap_or_else(|| self.id.to_string());
        let role = self.role.into();
        let check = |company: &VerifiedDirectory| {
            self.teams.iter().try_for_each(|t| company.team(t).map(|_| ()))?;
            match people::all(company).get(&self.id) {
                None => Ok(()),
                Some(p) if p.state == State::Expired => Ok(()),
                Some(p) => Err(exists(p)),
            }
        };
        let invitation = self.signing.act(ctx, check, |company, signer| {
            let (user, teams) = (self.id.clone(), self.teams.clone());
            let new = NewUser { user: user.clone(), role, name: name.clone(), teams: teams.clone() };
            let (commit, code) = signer.invite(&new, self.ttl)?;
            let invitation =
                Invitation { user, name: name.clone(), role, teams, code, until: company.now_ms + self.ttl };
            Ok((commit, invitation))
        })?;
        invitation.print(ctx)
    }
}

fn exists(p: &Person) -> CliError {
    let fail = |what| CliError::new(Kind::Exists, format!("{} {what}", p.id));
    match p.state {
        State::Invited => fail("is already invited").hint(format!("kefu user invite revoke {} ends that invite", p.id)),
        State::Disabled => fail("exists and is switched off").hint(format!("kefu user enable {} invites again", p.id)),
        State::Waiting => fail("enrolled and waits for confirmation").hint(format!("kefu user show {}", p.id)),
        _ => fail("already exists").hint(format!("kefu user show {}", p.id)),
    }
}
