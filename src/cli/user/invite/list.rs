//! `kefu user invite list`: invites that were not used.

use serde_json::json;

use crate::{
    cli::{
        company::Company,
        context::Context,
        fail::Fail,
        out::{self, Table},
    },
    proto::TeamId,
};

/// List invites that were not used
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let company = Company::open(ctx)?;
        let mut open: Vec<_> = company.view.invites.iter().collect();
        open.sort_by(|a, b| a.user.cmp(&b.user));
        if ctx.json {
            let invites: Vec<_> = open
                .iter()
                .map(|i| {
                    json!({"user": i.user, "role": i.role, "teams": i.teams,
                        "inv": i.inv, "expires": i.exp, "expired": i.expired})
                })
                .collect();
            out::print_json(&json!({"invites": invites}));
            return Ok(());
        }
        let mut table = Table::new(&["user", "role", "teams", "ends"], "No open invites.");
        for invite in open {
            let teams: Vec<&str> = invite.teams.iter().map(TeamId::as_str).collect();
            let ends = out::relative(invite.exp, company.now_ms);
            table.row([invite.user.to_string(), invite.role.to_string(), teams.join(", "), ends]);
        }
        table.print();
        Ok(())
    }
}
