//! `kefu block remove`: a visitor may write again.

use serde_json::json;

use crate::{
    cli::{admin_client::AdminClient, context::Context, error::CliError},
    proto::Kid,
};

/// Let a visitor write again
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The visitor, as in `kefu block list`
    #[arg(value_name = "VISITOR")]
    visitor: Kid,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let admin = AdminClient::open(ctx)?;
        let answer = admin.call("POST", "/admin/unblock", Some(json!({ "visitor": self.visitor })));
        admin.close();
        answer?;
        ctx.say(json!({ "visitor": self.visitor }), format!("Visitor {} may write again.", self.visitor));
        Ok(())
    }
}
