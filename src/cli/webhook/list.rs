//! `kefu webhook list`: who is told what, and whether it arrives.

use serde_json::Value;

use crate::cli::{admin_client::AdminClient, context::Context, error::CliError, out, out::Table};

/// List the webhooks of kefu.toml
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let admin = AdminClient::open(ctx)?;
        let answer = admin.call("GET", "/admin/webhooks", None);
        admin.close();
        let webhooks = answer?.as_array().cloned().unwrap_or_default();
        let empty = "There is no webhook. Each has a [[webhook]] in kefu.toml.";
        let columns =
            ["name", "kind", "address", "events", "delivered", "waiting", "lost", "last delivered", "trouble"];
        let mut table = Table::new(&columns, empty);
        for hook in &webhooks {
            table.row([
                text(&hook["name"]),
                text(&hook["kind"]),
                text(&hook["host"]),
                hook["events"]
                    .as_array()
                    .map_or_else(String::new, |e| e.iter().map(text).collect::<Vec<_>>().join(", ")),
                hook["delivered"].to_string(),
                hook["waiting"].to_string(),
                hook["lost"].to_string(),
                hook["delivered_at"].as_u64().filter(|at| *at > 0).map_or_else(|| "never".into(), out::date),
                text(&hook["failure"]),
            ]);
        }
        ctx.list("webhooks", webhooks, &table);
        Ok(())
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
