//! What every command knows: where the data is, how to print, and how to reach the admin router.

use std::{
    ffi::OsString,
    io::IsTerminal as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use clap::{Args, ColorChoice};
use serde_json::{Value, json};

use super::out::{self, Table};

/// Options that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// Data directory [default: /var/lib/kefu as a service, else ./kefu-data]
    #[arg(long, global = true, env = "KEFU_DATA_DIR", hide_env_values = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Configuration file [default: kefu.toml in the data directory]
    #[arg(long, global = true, env = "KEFU_CONFIG", hide_env_values = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON value instead of text
    #[arg(long, global = true)]
    json: bool,
    /// Colours: when to use them
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
}

/// What every command knows.
#[derive(Debug)]
pub struct Context {
    /// The data directory; need not exist.
    pub data_dir: PathBuf,
    /// The configuration file, if one was named.
    pub config_file: Option<PathBuf>,
    /// Print JSON.
    pub json: bool,
    color: ColorChoice,
}

impl Context {
    /// Settles what was left open.
    pub fn new(globals: Globals) -> Self {
        let data_dir = globals.data_dir.unwrap_or_else(default_data_dir);
        Self { data_dir, config_file: globals.config, json: globals.json, color: globals.color }
    }

    /// A file of the data directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.data_dir.join(name)
    }

    /// What a command did: as JSON, or in words.
    pub fn say(&self, json: Value, words: impl AsRef<str>) {
        if self.json { out::print_json(&json) } else { out::line(words) }
    }

    /// A list: as a JSON array under its name, or as a table.
    pub fn list(&self, name: &str, values: Vec<Value>, table: &Table) {
        if self.json { out::print_json(&json!({name: values})) } else { table.print() }
    }

    /// Whether to colour stdout.
    pub fn color_stdout(&self) -> bool {
        wants_color(self.color, std::io::stdout().is_terminal())
    }

    /// Whether to colour stderr.
    pub fn color_stderr(&self) -> bool {
        wants_color(self.color, std::io::stderr().is_terminal())
    }
}

fn wants_color(choice: ColorChoice, terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
    }
}

/// systemd sets INVOCATION_ID for what it starts; there the data is the machine's, as for who owns its directory and for
/// root beside a company. Elsewhere it is a trial.
fn default_data_dir() -> PathBuf {
    let (installed, me) = (Path::new("/var/lib/kefu"), rustix::process::geteuid());
    let service = std::env::var_os("INVOCATION_ID").is_some();
    let owner = || std::fs::metadata(installed).is_ok_and(|m| !me.is_root() && m.uid() == me.as_raw());
    if service || owner() || (me.is_root() && installed.join("kefu.toml").exists()) {
        installed.into()
    } else {
        "kefu-data".into()
    }
}

/// `--color` must be known before clap prints its own errors.
pub fn color_from_args(args: impl Iterator<Item = OsString>) -> ColorChoice {
    let args: Vec<_> = args.filter_map(|a| a.into_string().ok()).collect();
    let after = args.iter().position(|a| a == "--color").and_then(|i| args.get(i + 1)).map(String::as_str);
    match after.or_else(|| args.iter().find_map(|a| a.strip_prefix("--color="))) {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}
