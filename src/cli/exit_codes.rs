//! `kefu exit-codes`: what the exit codes mean.

use super::{
    context::Context,
    error::{CliError, Kind},
    out,
};

const TABLE: &str = "\
  0  success
  1  failure: see the message
  2  usage: the arguments are invalid
  3  not initialised: this data directory contains no kefu installation (kefu init)
  4  already exists: nothing was changed
  5  conflict: in use by another process, or changed at the same time
  6  a passphrase is needed, or it was wrong";

/// What the exit codes mean
#[derive(Debug, clap::Args)]
#[command(long_about = "What the exit codes mean", after_help = TABLE)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        if ctx.json {
            let kinds =
                [Kind::Failure, Kind::Usage, Kind::NotInitialised, Kind::Exists, Kind::Conflict, Kind::Passphrase];
            let map: serde_json::Map<_, _> = kinds.iter().map(|k| (k.word().to_owned(), k.code().into())).collect();
            out::print_json(&map.into());
        } else {
            out::line(TABLE);
        }
        Ok(())
    }
}
