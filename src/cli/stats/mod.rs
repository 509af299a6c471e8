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
            return watch::run(ctx, Duration::from_secs(self.interval));
        }
        let admin = AdminClient::open(ctx)?;
        let answer = admin.call("GET", "/admin/stats", None);
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
