//! `kefu service uninstall`: removes what `install` created. The data and its user stay.

use std::{fs, io::ErrorKind};

use serde_json::json;

use super::place::{PROGRAM, Place};
use crate::cli::{
    context::Context,
    error::{CliError, Kind},
    io_error::cannot,
};

/// Stop the service and remove it; the data stays
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let place = &self.place;
        place.check()?;
        let files: Vec<_> = place.files().map(|(path, _)| path).filter(|p| p.exists()).collect();
        if files.is_empty() {
            return Err(CliError::new(Kind::Failure, "kefu service install was not used here; nothing was changed"));
        }
        let units = ["kefu.service", "kefu.socket"];
        let act: &[&str] = if place.runs() { &["disable", "--now"] } else { &["disable"] };
        place.systemctl(&[act, &units].concat())?;
        for path in files.iter().chain([&place.path(PROGRAM)]) {
            match fs::remove_file(path) {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(cannot("remove", path, &e)),
                _ => {}
            }
        }
        if place.runs() {
            place.systemctl(&["daemon-reload"])?;
        }
        ctx.say(
            json!({"removed": files}),
            "Removed the service. /var/lib/kefu and the user kefu still exist; remove them by hand if you need neither.",
        );
        Ok(())
    }
}
