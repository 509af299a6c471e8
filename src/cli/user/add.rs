//! `kefu user add`: invite somebody.

use super::super::{context::Context, fail::Fail, keys::Signing};
use super::RoleArg;
use crate::proto::{TeamId, UserId};

/// Invite a person, who makes the account with the code this prints
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Login name: 1 to 32 of a-z 0-9 . _ -
    #[arg(value_name = "ID")]
    id: UserId,
    /// Name that visitors and colleagues see [default: the id]
    #[arg(long)]
    name: Option<String>,
    /// What the person may do
    #[arg(long, value_enum, default_value = "agent")]
    role: RoleArg,
    /// Team to be in; may be given several times
    #[arg(long = "team", value_name = "TEAM")]
    teams: Vec<TeamId>,
    /// How long the invite is good, such as 72h or 7d
    #[arg(long, value_name = "TIME", default_value = "72h", value_parser = super::super::context::parse_span)]
    ttl: u64,
    #[command(flatten)]
    signing: Signing,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
