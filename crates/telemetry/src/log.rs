//! The log: lines on standard error, readable on a terminal, JSON for machines.
//!
//! `RUST_LOG` wins over the configuration. Never logged: text of people, tokens, keys, invite codes. There is no span per
//! socket; the lines that concern one carry its fields themselves.

use std::{
    io::{self, IsTerminal},
    str::FromStr,
};

use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Text on a terminal, else JSON.
    #[default]
    Auto,
    /// Text for people.
    Text,
    /// One object a line.
    Json,
}

impl FromStr for Format {
    type Err = LogError;
    fn from_str(s: &str) -> Result<Self, LogError> {
        match s {
            "auto" => Ok(Self::Auto),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(LogError::Format(s.to_owned())),
        }
    }
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter does not parse.
    #[error("the log filter {filter:?} is not understood ({reason}); try info, debug, or kefu=debug")]
    Filter {
        /// From RUST_LOG or the configuration.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Not a format.
    #[error("the log format {0:?} is unknown; use auto, text or json")]
    Format(String),
    /// It can be started only once.
    #[error("the log has already been started")]
    Again,
}

/// Starts the log. `level` is `error`, `warn`, `info`, `debug` or `trace` for kefu's own lines (libraries say one level
/// less), or a whole filter such as `info,kefu::store=debug`.
pub fn init(level: &str, format: Format) -> Result<(), LogError> {
    let filter = filter(std::env::var("RUST_LOG").ok().as_deref(), level)?;
    let terminal = io::stderr().is_terminal();
    // a log on a full disk must not end the process that writes a line: that error would be printed to the same place, which panics
    let lines = fmt::layer().with_writer(io::stderr).log_internal_errors(false);
    let log = tracing_subscriber::registry().with(filter);
    let started = if json(format, terminal) {
        log.with(lines.json().flatten_event(true).with_current_span(false).with_span_list(false)).try_init()
    } else {
        let colours = terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        log.with(lines.with_ansi(colours).with_target(false)).try_init()
    };
    started.map_err(|_| LogError::Again)
}

fn json(format: Format, terminal: bool) -> bool {
    format == Format::Json || (format == Format::Auto && !terminal)
}

fn filter(rust_log: Option<&str>, level: &str) -> Result<Targets, LogError> {
    let text = match rust_log.filter(|v| !v.trim().is_empty()) {
        Some(wish) => wish.to_owned(),
        None => match level {
            "error" => "error".to_owned(),
            "warn" | "info" => format!("warn,kefu={level}"),
            "debug" => "info,kefu=debug".to_owned(),
            "trace" => "debug,kefu=trace".to_owned(),
            other => other.to_owned(),
        },
    };
    text.parse().map_err(|e: <Targets as FromStr>::Err| LogError::Filter { reason: e.to_string(), filter: text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_wins_and_libraries_are_quieter() {
        assert_eq!(filter(Some("kefu=trace"), "info").unwrap().to_string(), "kefu=trace");
        assert_eq!(filter(Some(" "), "info").unwrap().to_string(), "kefu=info,warn");
        assert_eq!(filter(None, "debug").unwrap().to_string(), "kefu=debug,info");
        let e = filter(None, "kefu=loud").unwrap_err().to_string();
        assert!(e.contains("kefu=loud") && e.contains("try info"), "{e}");
    }

    #[test]
    fn machines_get_json() {
        assert!(json(Format::Auto, false) && json(Format::Json, true));
        assert!(!json(Format::Auto, true) && !json(Format::Text, false));
        assert!("xml".parse::<Format>().is_err() && "json".parse::<Format>().unwrap() == Format::Json);
    }
}
