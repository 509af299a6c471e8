//! `kefu verify`: whether a backup can be restored, or whether everything that is stored makes sense.

mod stored;

use std::path::PathBuf;

use serde_json::json;

use super::{archive::Backup, context::Context, error::CliError, out};
use crate::proto::{ConvId, MsgId};

/// Maximum number of files that are named.
const SHOWN: usize = 50;

/// Check a backup, or everything that is stored; exit code 1 if anything is wrong
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Repairs nothing. Without FILE it reads the whole database, through the running server if there is \
                        one; the structure of the database file itself is checked only while no server runs."
)]
pub struct Args {
    /// What kefu backup wrote [default: check the data directory]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Args {
    /// Whether it looks at the data directory.
    pub fn data(&self) -> bool {
        self.file.is_none()
    }

    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let Some(file) = &self.file else { return stored::run(ctx) };
        let backup = Backup::check(file)?;
        let unnamed = backup.unnamed(file)?;
        let named = |(conv, msg): &(ConvId, MsgId)| format!("{conv}/{msg}");
        if ctx.json {
            let mut facts = backup.facts();
            facts["unnamed"] = unnamed.keys().map(named).collect();
            facts["file"] = json!(file);
            out::print_json(&facts);
            return Ok(());
        }
        let made = out::date(backup.header.created_ms);
        let mut lines = vec![
            ("backup", format!("{} ({}), complete and valid", file.display(), out::bytes(backup.bytes))),
            ("made", format!("{made} by kefu {}", backup.header.kefu)),
            ("contains", backup.content()),
        ];
        if let Some(bucket) = backup.bucket() {
            lines.push(("not in it", format!("the files that people sent: they are in {bucket}")));
        }
        if !unnamed.is_empty() {
            lines.push(("unnamed", format!("{} files that no message in it names", unnamed.len())));
        }
        out::facts(&lines);
        for (id, bytes) in unnamed.iter().take(SHOWN) {
            out::line(format!("unnamed  {} ({})", named(id), out::bytes(*bytes)));
        }
        Ok(())
    }
}
