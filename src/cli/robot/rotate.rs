//! `kefu robot rotate`: a new day key at once.

use serde_json::json;

use crate::{
    cli::{admin_client::AdminClient, context::Context, error::CliError, out},
    crypto::botkey::DayKey,
};

/// Give the robot a new day key and erase the older ones; its open conversations go to people
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It is rotated every day without this. If its signing key may be known to others, take the robot \
                        off all its sites and put it on again: that makes a new one."
)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let admin = AdminClient::open(ctx)?;
        let key = admin.call("POST", "/admin/robot/rotate", None);
        admin.close();
        let key = key?;
        if key["shared"] == true {
            let words = format!(
                "All servers give robot {} new day keys and erase the older ones: those that run within seconds, the others when \
                 they start.",
                key["bot"].as_str().unwrap_or_default()
            );
            ctx.say(json!({"robot": key["bot"], "all_servers": true}), words);
            return Ok(());
        }
        let key: DayKey = serde_json::from_value(key)?;
        if ctx.json {
            out::print_json(&json!({"robot": key.bot, "x": key.x, "at": key.at, "until": key.until}));
        } else {
            out::line(format!("Robot {} has a new day key, valid until {}.", key.bot, out::date(key.until)));
        }
        Ok(())
    }
}
