//! How a command fails: one line on what happened, one on what to do next, and an exit code that scripts can rely on.

/// Exit code of a usage error; clap uses the same.
pub const USAGE: u8 = 2;

/// The kinds of failure, and with them the exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any other failure.
    Failure,
    /// The arguments make no sense.
    Usage,
    /// There is no kefu in this data directory.
    NotInitialised,
    /// The thing to be made exists.
    Exists,
    /// Another process has it, or changed it first.
    Conflict,
    /// A passphrase is needed and was not available, or it was wrong.
    Passphrase,
}

impl Kind {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Failure => 1,
            Self::Usage => USAGE,
            Self::NotInitialised => 3,
            Self::Exists => 4,
            Self::Conflict => 5,
            Self::Passphrase => 6,
        }
    }

    /// The word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Usage => "usage",
            Self::NotInitialised => "not_initialised",
            Self::Exists => "already_exists",
            Self::Conflict => "conflict",
            Self::Passphrase => "needs_passphrase",
        }
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub struct CliError {
    /// What it means for a script.
    pub kind: Kind,
    /// What happened; one line, or a few if there are several problems.
    pub what: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Whether stdout can't be written to.
    pub mute: bool,
}

impl CliError {
    /// A failure of a kind.
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), hint: None, mute: false }
    }

    /// A plain failure (exit code 1).
    pub fn failure(what: impl Into<String>) -> Self {
        Self::new(Kind::Failure, what)
    }

    /// A failure of stdout itself.
    pub fn unprinted(what: impl Into<String>) -> Self {
        Self { mute: true, ..Self::failure(what) }
    }

    /// A failure that was printed already.
    pub fn silent() -> Self {
        Self::failure(String::new())
    }

    /// What clap found wrong, without its colours and usage lines.
    pub fn usage(e: &clap::Error) -> Self {
        let text = e.to_string();
        let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
        let what = lines.next().unwrap_or("wrong arguments").trim_start_matches("error: ").to_owned();
        let hint = lines.find_map(|l| l.strip_prefix("tip: ")).unwrap_or("see kefu --help").to_owned();
        Self::new(Kind::Usage, what).hint(hint)
    }

    /// Adds what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<std::io::Error> for CliError {
    fn from(e: std::io::Error) -> Self {
        Self::failure(e.to_string())
    }
}

impl From<serde_json::Error> for CliError {
    fn from(e: serde_json::Error) -> Self {
        Self::failure(format!("unexpected answer: {e}"))
            .hint("does the running server have the same version? see kefu doctor")
    }
}
