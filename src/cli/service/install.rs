//! `kefu service install`: the executable, its user and its units, enabled. What is there already is brought up to date.

use std::fs;

use serde_json::json;

use super::place::{PROGRAM, Place, write};
use crate::cli::{context::Context, error::CliError, io_error::cannot};

/// Install this executable as a systemd service, enabled and not yet started
#[derive(Debug, clap::Args)]
#[command(after_help = "Put your own settings into `systemctl edit kefu`; the unit itself is replaced each time.")]
pub struct Args {
    #[command(flatten)]
    place: Place,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let place = &self.place;
        place.check()?;
        let program = place.path(PROGRAM);
        let this =
            std::env::current_exe().map_err(|e| CliError::failure(format!("cannot find this executable: {e}")))?;
        let same = |a, b| Some(fs::canonicalize(a).ok()? == fs::canonicalize(b).ok()?);
        if same(&this, &program) != Some(true) {
            let content = fs::read(&this).map_err(|e| cannot("read", &this, &e))?;
            write(&program, 0o755, &content)?;
        }
        for (path, content) in place.files() {
            write(&path, 0o644, content.as_bytes())?;
        }
        place.tool("systemd-sysusers", &["kefu.conf"])?;
        place.tool("systemd-tmpfiles", &["--create", "kefu.conf"])?;
        if place.runs() {
            place.systemctl(&["daemon-reload"])?;
        }
        place.systemctl(&["enable", "kefu.service"])?;
        ctx.say(
            json!({"program": program, "unit": "kefu.service", "enabled": true}),
            format!(
                "Installed {} as a service, enabled and not started.\n\nnext:\n  sudo -u kefu kefu init --name \"Example Ltd\" \
                 --host chat.example.com\n  sudo systemctl start kefu",
                program.display()
            ),
        );
        Ok(())
    }
}
