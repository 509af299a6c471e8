//! One thing the doctor looked at.

use serde::Serialize;

use crate::cli::{error::CliError, out};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Works, but needs attention.
    Warning,
    /// Does not work, or must not stay so.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub what: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, what: what.into(), next: None }
    }

    /// To be looked at.
    pub fn warning(check: &'static str, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { check, level: Level::Warning, what: what.into(), next: Some(next.into()) }
    }

    /// To be put right.
    pub fn problem(check: &'static str, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { check, level: Level::Problem, what: what.into(), next: Some(next.into()) }
    }

    /// What made a command fail.
    pub fn from_fail(check: &'static str, fail: &CliError) -> Self {
        Self { check, level: Level::Problem, what: fail.what.clone(), next: fail.hint.clone() }
    }

    /// Prints it in one or two lines.
    pub fn print(&self, color: bool) {
        let (word, paint) = match self.level {
            Level::Ok => ("ok", "\x1b[32m"),
            Level::Warning => ("warning", "\x1b[33m"),
            Level::Problem => ("problem", "\x1b[1;31m"),
        };
        let (paint, off) = if color { (paint, "\x1b[0m") } else { ("", "") };
        out::line(format!("{paint}{}{off}  {}  {}", out::pad(word, 7), out::pad(self.check, 14), self.what));
        if let Some(next) = &self.next {
            out::line(format!("{}→ {next}", " ".repeat(25)));
        }
    }
}
