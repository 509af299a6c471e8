//! `kefu knowledge import`: entries from a file.

use std::path::PathBuf;

use serde_json::json;

use super::store::{load, save};
use crate::{
    cli::{
        context::Context,
        error::{CliError, Kind},
        io_error::cannot,
        out,
        training::{HowToRead, TrainingFiles, report_problems},
    },
    nlu::{
        knowledge::{
            KnowledgeBase,
            import::{Kind as FileKind, read},
        },
        text_file::Report,
    },
};

const FORMATS: &str = "\
Files:
  .csv, .xlsx  first row: question and answer, perhaps id, similar (separated by |), site, from, until, lang
               a cell of .xlsx is read as Excel shows it; all visible sheets with these columns are read
  .md          each \"## question\" with its answer below; lines \"also: …\", \"id: …\" directly below the heading
  .json        as kefu knowledge export writes it

An entry with an id that is there replaces that one; without an id, the one with the same question.";

/// Import entries from CSV, XLSX, Markdown or JSON
#[derive(Debug, clap::Args)]
#[command(after_help = FORMATS)]
pub struct Args {
    /// File to import
    file: PathBuf,
    /// Remove all entries that are not in the file
    #[arg(long)]
    replace: bool,
    /// Only report problems in the file
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    how: HowToRead,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let Some(kind) = FileKind::of(&self.file) else {
            return Err(CliError::new(
                Kind::Usage,
                format!("{} is not a .csv, .xlsx, .md or .json file", self.file.display()),
            )
            .hint("kefu knowledge import --help shows what each must look like"));
        };
        if kind != FileKind::Xlsx && self.how.names_sheets() {
            return Err(CliError::new(
                Kind::Usage,
                format!("{} has no sheets: --sheet is for .xlsx", self.file.display()),
            ));
        }
        let bytes = std::fs::read(&self.file).map_err(|e| cannot("read", &self.file, &e))?;
        let mut report = Report::default();
        let entries = read(&bytes, kind, &(&self.how).into(), &mut report);
        report_problems(&report, &self.file, ctx.json)?;
        if self.check {
            return tell(
                ctx,
                &format!("{} entries can be imported.", entries.len()),
                json!({"entries": entries.len(), "warnings": report.problems}),
            );
        }
        let training = TrainingFiles::open(ctx)?;
        let old = load(&training.files)?;
        let mut book = old.clone();
        let changed = book.put_all(entries.clone());
        let mut removed = 0;
        if self.replace {
            // the ids they got, if they had none
            let mut fresh = KnowledgeBase::default();
            let questions: std::collections::BTreeSet<_> =
                entries.iter().map(|e| (&e.question, &e.site, &e.from)).collect();
            fresh.entries = book
                .entries
                .into_iter()
                .filter(|(_, e)| questions.contains(&(&e.question, &e.site, &e.from)))
                .collect();
            removed = old.entries.keys().filter(|id| !fresh.entries.contains_key(*id)).count();
            book = fresh;
        }
        let mut checked = Report::default();
        book.check(&mut checked);
        report_problems(&checked, &self.file, ctx.json)?;
        report.append(checked);
        save(ctx, &training, &book)?;
        let told = format!(
            "{} added, {} changed, {} unchanged, {removed} removed.",
            changed.added, changed.changed, changed.same
        );
        tell(
            ctx,
            &told,
            json!({"changed": changed, "removed": removed, "entries": book.entries.len(), "warnings": report.problems}),
        )
    }
}

fn tell(ctx: &Context, text: &str, value: serde_json::Value) -> Result<(), CliError> {
    if ctx.json {
        out::print_json(&value);
    } else {
        out::line(text);
    }
    Ok(())
}
