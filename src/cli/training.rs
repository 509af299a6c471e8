//! Shared by the commands that train the robot: its files, a lock over them, reports about imported files, progress.

use std::{
    fs::File,
    io::{IsTerminal as _, Write as _},
    path::Path,
};

use clap::{ValueEnum, builder::PossibleValue};
use tokio::runtime::Runtime;

use super::{
    admin_client::runtime,
    context::Context,
    data_dir::{self},
    error::{CliError, Kind},
    io_error::cannot,
    out,
};
use crate::{
    app::{AdminError, KnowledgeError, SharedKnowledge},
    files::open_or_create,
    nlu::{
        SentenceModel,
        embed::{Embed, Fingerprint},
        encoding::Encoding,
        intent::IntentClassifier,
        sentence::threads,
        table::Reading,
        text_file::Report,
    },
    robot::engine::{self, EngineError, RobotFiles},
};

/// How a file is to be read.
#[derive(Debug, clap::Args)]
pub struct HowToRead {
    /// Encoding of a text file; detected from its content by default
    #[arg(long, value_enum)]
    encoding: Option<Named>,
    /// Read this sheet of a workbook, hidden or not; may be given several times [default: all visible sheets]
    #[arg(long = "sheet", value_name = "NAME")]
    sheets: Vec<String>,
}

impl HowToRead {
    /// Whether sheets are named, which only a workbook has.
    pub fn names_sheets(&self) -> bool {
        !self.sheets.is_empty()
    }
}

impl From<&HowToRead> for Reading {
    fn from(how: &HowToRead) -> Self {
        Self { encoding: how.encoding.map(|e| e.0).unwrap_or_default(), sheets: how.sheets.clone() }
    }
}

/// An encoding, by its name.
#[derive(Debug, Clone, Copy)]
struct Named(Encoding);

impl ValueEnum for Named {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Named; Encoding::NAMED.len()] = {
            let mut all = [Named(Encoding::Auto); Encoding::NAMED.len()];
            let mut n = 0;
            while n < all.len() {
                all[n] = Named(Encoding::NAMED[n]);
                n += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let value = PossibleValue::new(self.0.name());
        Some(match self.0 {
            Encoding::Utf8 => value.alias("utf8"),
            Encoding::ShiftJis => value.aliases(["shift-jis", "sjis"]),
            _ => value,
        })
    }
}

/// The language model with its fingerprint.
pub struct LoadedModel {
    /// The model.
    pub model: SentenceModel,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
}

impl LoadedModel {
    /// The model in use; works without a data directory.
    pub fn open(ctx: &Context) -> Result<Self, CliError> {
        let model = engine::model(&RobotFiles::of(&ctx.data_dir)).map_err(|e| unable(&e))?;
        let mut encoder = model.encoder(threads()).map_err(|e| CliError::failure(e.to_string()))?;
        let fingerprint = Fingerprint::of(&mut encoder).map_err(|e| CliError::failure(e.to_string()))?;
        Ok(Self { model, fingerprint })
    }

    /// The classifier in use.
    pub fn classifier(&self, ctx: &Context) -> Result<IntentClassifier, CliError> {
        let classifier =
            engine::intents(&RobotFiles::of(&ctx.data_dir), &self.model, self.fingerprint).map_err(|e| unable(&e))?;
        classifier.ok_or_else(|| {
            CliError::failure("there are no intents: this kefu has none for the current language model")
                .hint("kefu intent train FILE.csv")
        })
    }

    /// One encoder for each processor.
    pub fn workers(&self) -> Result<Vec<Box<dyn Embed>>, CliError> {
        self.model.encoders(16).map_err(|e| CliError::failure(e.to_string()))
    }

    /// The vector of one text.
    pub fn vector(&self, text: &str) -> Result<Vec<f32>, CliError> {
        let mut encoder = self.model.encoder(threads()).map_err(|e| CliError::failure(e.to_string()))?;
        encoder.embed(text).map_err(|e| CliError::failure(e.to_string()))
    }
}

/// Why nothing can be understood, with what to do about it.
pub fn unable(e: &EngineError) -> CliError {
    let fail = CliError::failure(e.to_string());
    match e {
        EngineError::NoModel(_) => fail.hint("kefu model use DIR, with a model in Hugging Face's layout"),
        EngineError::File(..) => fail.hint("the file is made by kefu intent train or kefu knowledge import"),
        EngineError::Model(_) => fail,
    }
}

/// The robot's files, locked for changes while this lives. If several servers share what it is taught, they are the newest.
pub struct TrainingFiles {
    /// The files.
    pub files: RobotFiles,
    shared: Option<(SharedKnowledge, Runtime)>,
    _lock: File,
}

impl TrainingFiles {
    /// Waits while another process holds the lock.
    pub fn open(ctx: &Context) -> Result<Self, CliError> {
        data_dir::require_initialised(&ctx.data_dir)?;
        let files = RobotFiles::of(&ctx.data_dir);
        data_dir::make_private(&files.dir)?;
        let path = files.lock();
        let lock = open_or_create(&path, 0o600).map_err(|e| cannot("open", &path, &e))?;
        lock.lock().map_err(|e| cannot("lock", &path, &e))?;
        let mut training = Self { files, shared: None, _lock: lock };
        let config = ctx.load_config()?;
        if config.storage.is_shared() {
            let runtime = runtime()?;
            let shared = runtime.block_on(SharedKnowledge::open(&ctx.data_dir, &config)).map_err(AdminError::Open)?;
            training.shared = shared.map(|shared| (shared, runtime));
        }
        if let Some((shared, runtime)) = &training.shared {
            runtime.block_on(shared.fetch())?;
        }
        Ok(training)
    }

    /// Gives what was changed to the other servers, if there are any.
    pub fn publish(&self) -> Result<(), CliError> {
        if let Some((shared, runtime)) = &self.shared {
            runtime.block_on(shared.publish())?;
        }
        Ok(())
    }
}

impl Drop for TrainingFiles {
    fn drop(&mut self) {
        if let Some((shared, runtime)) = self.shared.take() {
            runtime.block_on(shared.close());
        }
    }
}

impl From<KnowledgeError> for CliError {
    fn from(e: KnowledgeError) -> Self {
        match &e {
            KnowledgeError::Conflict => Self::new(Kind::Conflict, e.to_string()).hint("run the same command again"),
            KnowledgeError::TooLarge(_) => {
                Self::failure(e.to_string()).hint("nothing was changed; remove entries first")
            }
            _ => Self::failure(e.to_string()),
        }
    }
}

/// Fetches what the robot was taught at other servers, for a command that only reads. A server that can't be reached is no reason not
/// to show what is known here.
pub fn refresh(ctx: &Context) {
    let shared = ctx.load_config().is_ok_and(|config| config.storage.is_shared());
    if shared && let Err(e) = TrainingFiles::open(ctx) {
        eprintln!("warning: {}; this is what the robot was taught as far as this machine knows", e.what);
    }
}

/// Prints warnings, or fails with all problems of the imported file.
pub fn report_problems(report: &Report, what: &Path, quiet: bool) -> Result<(), CliError> {
    let mut lines: Vec<String> =
        report.problems.iter().map(|p| format!("  {}", out::printable(&p.to_string()))).collect();
    if report.more > 0 {
        lines.push(format!("  … and {} more", report.more));
    }
    if report.errors() > 0 {
        let (n, what) = (report.errors(), what.display());
        let count = if n == 1 { "one mistake".to_owned() } else { format!("{n} mistakes") };
        return Err(CliError::failure(format!("{what} has {count}; nothing was changed\n{}", lines.join("\n")))
            .hint("correct the lines and try again"));
    }
    if !lines.is_empty() && !quiet {
        eprintln!("{}:\n{}", what.display(), lines.join("\n"));
    }
    Ok(())
}

/// A progress line on a terminal.
pub struct ProgressBar {
    shown: bool,
    last: Option<(String, usize)>,
}

impl ProgressBar {
    /// Shows itself on a terminal only.
    pub fn new(ctx: &Context) -> Self {
        Self { shown: !ctx.json && std::io::stderr().is_terminal(), last: None }
    }

    /// Shows how many of how many are done.
    pub fn at(&mut self, what: &str, done: usize, total: usize) {
        const WIDTH: usize = 30;
        let filled = WIDTH * done / total.max(1);
        let now = (what.to_owned(), 100 * done / total.max(1));
        if !self.shown || self.last.as_ref() == Some(&now) {
            return;
        }
        let bar: String = (0..WIDTH).map(|n| if n < filled { '█' } else { '░' }).collect();
        let mut err = std::io::stderr().lock();
        // a terminal that went away is no reason to stop
        let _ = write!(err, "\r{what}  {bar} {done}/{total} ").and_then(|()| err.flush());
        self.last = Some(now);
    }
}

impl Drop for ProgressBar {
    fn drop(&mut self) {
        if self.last.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}

/// `87 %`.
pub fn percent(share: f32) -> String {
    format!("{:.0} %", share * 100.0)
}

/// `87.3 %`.
pub fn exact(share: f32) -> String {
    format!("{:.1} %", share * 100.0)
}
