//! `kefu stats`: what the server is doing.

mod big;
mod draw;
mod parts;
mod shape;
mod tables;
mod text;
mod watch;

pub use shape::{Agent, Stats};
pub use text::missed_of;

use std::time::Duration;

use super::{
    admin_client::AdminClient,
    context::Context,
    data_dir,
    error::{CliError, Kind},
    lock, out,
};

pub(super) use text::limited;

/// Show what the server is doing
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A live display; q quits
    #[arg(long, conflicts_with = "json")]
    watch: bool,
    /// Seconds between updates
    #[arg(long, value_name = "SECONDS", default_value = "1", requires = "watch",
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,
    /// Of several servers only this one: its name in `kefu node list`, or its address
    #[arg(long, value_name = "NAME", value_parser = server_name)]
    node: Option<String>,
}

/// A name of a server, which becomes a part of a path.
fn server_name(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || ".:[]%-_".contains(c));
    if fits { Ok(text.to_owned()) } else { Err("kefu node list shows the names".into()) }
}

/// What to ask the admin router for.
fn path(node: Option<&str>) -> String {
    node.map_or_else(|| "/admin/stats".into(), |node| format!("/admin/stats/{node}"))
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        data_dir::require_initialised(&ctx.data_dir)?;
        if self.watch {
            if lock::running(&ctx.data_dir).is_none() {
                return Err(CliError::new(
                    Kind::Failure,
                    format!("no server is running on {}", ctx.data_dir.display()),
                )
                .hint("kefu serve starts it"));
            }
            return watch::run(ctx, Duration::from_secs(self.interval), path(self.node.as_deref()));
        }
        let admin = AdminClient::open(ctx)?;
        let answer = admin.call("GET", &path(self.node.as_deref()), None);
        admin.close();
        let answer = answer?;
        if ctx.json {
            out::print_json(&answer);
        } else {
            text::print(&serde_json::from_value(answer)?, out::now_ms());
        }
        Ok(())
    }
}
