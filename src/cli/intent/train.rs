//! `kefu intent train`: learn intents from a file.

use std::path::{Path, PathBuf};

use super::learn::{learn, save, tell};
use crate::{
    cli::{
        context::Context,
        data_dir::cannot,
        fail::Fail,
        teach::{Desk, HowToRead, Mind, report_problems},
    },
    nlu::{
        intent::{Examples, Head, import::read_path},
        text_file::Report,
    },
};

/// Train intents from examples; a running server uses them within seconds
#[derive(Debug, clap::Args)]
pub struct Args {
    /// CSV or XLSX with the columns text and intent, or a directory of .csv, .xlsx and .toml files; several are read as one
    #[arg(value_name = "FILE|DIR", required = true)]
    from: Vec<PathBuf>,
    /// Also train the intents that kefu ships
    #[arg(long)]
    from_default: bool,
    #[command(flatten)]
    how: HowToRead,
    /// Write the trained intents to this file instead of the data directory
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let desk = if self.out.is_none() { Some(Desk::open(ctx)?) } else { None };
        let mut report = Report::default();
        let mut examples = if self.from_default { default_examples()? } else { Examples::default() };
        for from in &self.from {
            let read = read_path(from, &(&self.how).into(), &mut report);
            examples.merge(read.map_err(|e| cannot("read", from, &e))?);
        }
        examples.settle(&mut report);
        let what = self.from.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ");
        report_problems(&report, Path::new(&what), ctx.json)?;
        let mind = Mind::open(ctx)?;
        let head = learn(ctx, &mind, examples, Path::new(&what))?;
        match (&self.out, &desk) {
            (Some(path), _) => save(&head, path)?,
            (None, Some(desk)) => save(&head, &desk.files.intents())?,
            (None, None) => {}
        }
        let did = format!("Trained {} intents on {} examples.", head.intents.len(), head.examples());
        tell(ctx, &head, &did, &report);
        Ok(())
    }
}

/// The examples built into the executable.
pub fn default_examples() -> Result<Examples, Fail> {
    let bytes =
        crate::nlu::model::embedded_head().ok_or_else(|| Fail::failure("this build of kefu contains no intents"))?;
    Head::from_bytes(&bytes).map(|h| h.to_examples()).map_err(|e| Fail::failure(e.to_string()))
}
