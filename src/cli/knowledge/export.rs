//! `kefu knowledge export`: the book as a file.

use std::path::PathBuf;

use super::store::read;
use crate::{
    cli::{
        context::Context,
        data_dir,
        error::{CliError, Kind},
        out,
    },
    nlu::knowledge::{
        export::{to_csv, to_json, to_markdown},
        import::Kind as FileKind,
    },
};

/// Write all entries to a new .csv, .md or .json file, or as JSON to the terminal
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File to write
    file: Option<PathBuf>,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let book = read(ctx)?;
        let Some(path) = &self.file else {
            out::line(to_json(&book).trim_end());
            return Ok(());
        };
        let text = match FileKind::of(path) {
            // without its mark, Excel reads UTF-8 as something else
            Some(FileKind::Csv) => format!("\u{feff}{}", to_csv(&book)),
            Some(FileKind::Markdown) => to_markdown(&book),
            Some(FileKind::Json) => to_json(&book),
            Some(FileKind::Xlsx) | None => {
                return Err(CliError::new(Kind::Usage, format!("{} is not a .csv, .md or .json file", path.display()))
                    .hint("Excel opens .csv"));
            }
        };
        data_dir::write_new(path, 0o600, text.as_bytes())?;
        if ctx.json {
            out::print_json(&serde_json::json!({"entries": book.entries.len(), "file": path}));
        } else {
            out::line(format!("Wrote {} entries to {}.", book.entries.len(), path.display()));
        }
        Ok(())
    }
}
