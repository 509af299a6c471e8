//! `kefu webhook test`: sends one message now.

use serde_json::json;

use crate::cli::{admin_client::AdminClient, context::Context, error::CliError};

/// Send a test message to a webhook
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name in kefu.toml
    name: String,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let admin = AdminClient::open(ctx)?;
        let answer = admin.call("POST", "/admin/webhooks/test", Some(json!({ "name": self.name })));
        admin.close();
        let answer = answer?;
        let words = format!("{} took the test message.", answer["host"].as_str().unwrap_or_default());
        ctx.say(answer, words);
        Ok(())
    }
}
