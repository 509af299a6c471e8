//! `kefu user invite list`: invites that were not used.

use serde_json::json;

use crate::cli::{
    company::Company,
    context::Context,
    fail::Fail,
    out::{self, Table},
};
use crate::proto::TeamId;

/// List invites that were not used
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let company = Company::open(ctx)?;
        let mut open: Vec<_> = company.open_invites().collect();
        open.sort_by(|a, b| a.cert.user.cmp(&b.cert.user));
        if ctx.json {
            let invites: Vec<_> = open
                .iter()
                .map(|i| {
                    json!({"user": i.cert.user, "name": i.cert.name, "role": i.cert.role, "teams": i.cert.teams,
                        "inv": i.cert.inv, "expires": i.cert.exp, "expired": i.expired})
                })
                .collect();
            out::print_json(&json!({"invites": invites}));
            return Ok(());
        }
        let mut table = Table::new(&["user", "role", "teams", "ends"], "No open invites.");
        for invite in open {
            let teams: Vec<&str> = invite.cert.teams.iter().map(TeamId::as_str).collect();
            let ends = out::relative(invite.cert.exp, company.now_ms);
            table.row([invite.cert.user.to_string(), invite.cert.role.to_string(), teams.join(", "), ends]);
        }
        table.print();
        Ok(())
    }
}
