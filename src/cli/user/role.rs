//! `kefu user role`: change what a person may do.

use serde_json::json;

use super::last_admin::LastAdmin;
use crate::{
    cli::{
        context::Context,
        error::{CliError, Kind},
        keys::Signing,
        verified_directory::VerifiedDirectory,
    },
    crypto::directory::Role,
    proto::UserId,
};

/// A role as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum RoleArg {
    /// Answers visitors
    Agent,
    /// Sees the whole team and takes over
    Supervisor,
    /// Changes the company: people, teams, sites
    Admin,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Agent => Self::Agent,
            RoleArg::Supervisor => Self::Supervisor,
            RoleArg::Admin => Self::Admin,
        }
    }
}

/// Change what a person may do
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the person
    #[arg(value_name = "ID")]
    id: UserId,
    /// The new role
    #[arg(value_enum)]
    role: RoleArg,
    #[command(flatten)]
    last_admin: LastAdmin,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let role: Role = self.role.into();
        let check = |company: &VerifiedDirectory| match company.user(&self.id)?.role {
            now if now == role => Err(CliError::new(Kind::Exists, format!("{} is already {now}", self.id))),
            _ => self.last_admin.check(company, &self.id),
        };
        self.signing.act(ctx, check, |_, signer| Ok((signer.user_role(&self.id, role)?, ())))?;
        ctx.say(json!({"user": self.id, "role": role}), format!("{} is now {role}.", self.id));
        Ok(())
    }
}
