//! `kefu node drain`: before a server is stopped.

use serde_json::json;

use crate::cli::{admin_client::AdminClient, context::Context, error::CliError};

/// Send the clients of this server to the others, before it is stopped
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let admin = AdminClient::open(ctx)?;
        let answer = admin.call("POST", "/admin/drain", None);
        admin.close();
        answer?;
        ctx.say(
            json!({ "draining": true }),
            "This server takes no more clients, and sends those away that it has. /healthz says so to balancers.\n\
             kefu node list shows how many are left; then stop it.",
        );
        Ok(())
    }
}
