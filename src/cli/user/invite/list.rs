//! `kefu user invite list`: invites that were not used.

use serde_json::json;

use crate::{
    cli::{
        context::Context,
        error::CliError,
        out::{self, Table},
        verified_directory::VerifiedDirectory,
    },
    org::OpenInvite,
    proto::TeamId,
};

/// List invites that were not used
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let company = VerifiedDirectory::open(ctx)?;
        company.warn();
        let mut open: Vec<_> = company.believed.all().collect();
        open.sort_by(|a, b| a.user.cmp(&b.user));
        let value = |i: &&OpenInvite| {
            json!({"user": i.user, "role": i.role, "teams": i.teams,
                "inv": i.inv, "expires": i.exp, "expired": i.expired})
        };
        let values = open.iter().map(value).collect();
        let mut table = Table::new(&["user", "role", "teams", "expires"], "No open invites.");
        for invite in open {
            let teams: Vec<&str> = invite.teams.iter().map(TeamId::as_str).collect();
            let ends = out::relative(invite.exp, company.now_ms);
            table.row([invite.user.to_string(), invite.role.to_string(), teams.join(", "), ends]);
        }
        ctx.list("invites", values, &table);
        Ok(())
    }
}
