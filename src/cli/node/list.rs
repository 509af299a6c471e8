//! `kefu node list`: who shares the database.

use serde_json::Value;

use crate::cli::{admin_client::AdminClient, context::Context, error::CliError, out, out::Table};

/// List the servers that share the database
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let admin = AdminClient::open(ctx)?;
        let answer = admin.call("GET", "/admin/servers", None);
        let running = admin.is_remote();
        admin.close();
        let answer = answer?;
        let servers = answer["servers"].as_array().cloned().unwrap_or_default();
        let empty =
            if running { "This server shares its database with no other." } else { "No server is running here." };
        let mut table = Table::new(&["name", "address", "state", "clients", "agents", "since", "version"], empty);
        for server in &servers {
            table.row([
                text(server, "node"),
                text(server, "listen"),
                state(server, &answer["this"]),
                server["sockets"].to_string(),
                server["agents"].as_array().map_or(0, Vec::len).to_string(),
                server["since"].as_u64().map_or_else(String::new, out::date),
                text(server, "version"),
            ]);
        }
        ctx.list("servers", servers, &table);
        Ok(())
    }
}

fn text(server: &Value, key: &str) -> String {
    server[key].as_str().unwrap_or_default().to_owned()
}

fn state(server: &Value, this: &Value) -> String {
    let mut words = Vec::new();
    if server["alive"] == false {
        words.push("gone");
    } else if server["draining"] == true {
        words.push("draining");
    } else {
        words.push("serving");
    }
    if server["leads"] == true {
        words.push("has the desk");
    }
    if server["node"] == *this {
        words.push("this one");
    }
    words.join(", ")
}
