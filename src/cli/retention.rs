//! `kefu retention`: erases conversations that were closed long ago.

use serde_json::{Value, json};

use crate::cli::{
    admin_client::AdminClient,
    context::Context,
    error::CliError,
    out::{self, Table},
};

/// Erase closed conversations that are no longer kept
///
/// How long they are kept is in [retention] of kefu.toml. A running server erases them by itself.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only show what would be erased
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let admin = AdminClient::open(ctx)?;
        let answer = admin.call("POST", "/admin/retention", Some(json!({ "dry_run": self.dry_run })));
        admin.close();
        let answer = answer?;
        if ctx.json {
            out::print_json(&answer);
        } else {
            show(&answer);
        }
        Ok(())
    }
}

fn show(answer: &Value) {
    let rule = &answer["rule"];
    let sites = rule["sites"].as_object().cloned().unwrap_or_default();
    if rule["default_ms"].is_null() && sites.values().all(Value::is_null) {
        out::line("Closed conversations are kept forever: closed_days in [retention] of kefu.toml is 0.");
        return;
    }
    let dry_run = answer["dry_run"] == true;
    let mut table = Table::new(&["site", "conversations", "KiB", "oldest"], "Nothing is due.");
    for (site, due) in answer["sites"].as_object().into_iter().flatten() {
        let number = |name: &str| due[name].as_u64().unwrap_or_default();
        let oldest = out::date(number("oldest"));
        table.row([site.clone(), number("conversations").to_string(), (number("bytes") / 1024).to_string(), oldest]);
    }
    table.print();
    if answer["sites"].as_object().is_some_and(|sites| !sites.is_empty()) {
        out::line(if dry_run {
            "These would be erased now. Nothing was changed."
        } else {
            "These were erased. The space is used for new messages; backups still have them."
        });
    }
}
