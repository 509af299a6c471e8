//! `kefu robot status`: the robot's sites and the state of its keys.

use serde_json::Value;

use crate::cli::{
    admin_client::AdminClient,
    context::Context,
    error::CliError,
    out::{self, Table},
};

/// Show the robot's sites and the state of its keys
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let admin = AdminClient::open(ctx)?;
        let status = admin.call("GET", "/admin/robot", None);
        admin.close();
        let status = status?;
        if ctx.json {
            out::print_json(&status);
        } else {
            show(&status);
        }
        Ok(())
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn show(status: &Value) {
    let rows = |name: &str| status[name].as_array().cloned().unwrap_or_default();
    let mut table = Table::new(&["id", "name", "state", "sites"], "No robot: kefu robot on SITE lets one answer.");
    for robot in rows("robots") {
        let sites: Vec<String> = robot["sites"].as_array().into_iter().flatten().map(text).collect();
        let state = if robot["on"] == true { "on" } else { "off" }.to_owned();
        table.row([text(&robot["id"]), text(&robot["name"]), state, sites.join(", ")]);
    }
    table.print();
    let now = out::now_ms();
    if let Some(id) = status["key"].as_str() {
        let newest = rows("days").last().and_then(|d| d["until"].as_u64());
        let day = newest.map_or_else(
            || "none yet: the server makes it".into(),
            |until| format!("valid until {} ({})", out::date(until), out::relative(until, now)),
        );
        out::line("");
        let shared = status["shared"] == true;
        let place = if shared { "Redis, sealed with cluster.key".into() } else { text(&status["dir"]) };
        let mut facts = vec![("keys of", id.to_owned()), ("stored in", place)];
        facts.push((if shared { "day key here" } else { "day key" }, day));
        if shared || status["day_dir"] != status["dir"] {
            facts.push(("day key in", text(&status["day_dir"])));
        }
        let servers = rows("servers");
        if !servers.is_empty() {
            let with_key = |s: &&Value| s["alive"] == true && s["day_keys"].as_array().is_some_and(|d| !d.is_empty());
            let alive = servers.iter().filter(|s| s["alive"] == true).count();
            let answering = servers.iter().filter(with_key).count();
            facts.push(("answers on", format!("{answering} of {alive} servers; each has day keys of its own")));
        }
        out::facts(&facts);
    }
    let here = status["key"].as_str().unwrap_or_default();
    let absent = rows("robots").into_iter().filter(|r| r["on"] == true && r["id"] != here);
    for robot in absent {
        out::line(format!(
            "The key of robot {} is {}: kefu robot on with its sites creates a new one.",
            text(&robot["id"]),
            if status["shared"] == true {
                "not in Redis, or sealed with another cluster.key"
            } else {
                "not on this machine"
            }
        ));
    }
    if let Some(trouble) = status["trouble"].as_str() {
        out::line(format!("Trouble: {trouble}"));
    }
}
