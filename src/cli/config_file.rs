//! The configuration as commands meet it: file, environment, and what a command's own options set.

use std::path::PathBuf;

use super::{context::Context, error::CliError};
use crate::{
    config::{Config, ConfigErrors, Origin},
    robot::policy,
};

impl Context {
    /// The configuration file: the named one, or `kefu.toml` of the data directory.
    pub fn config_path(&self) -> PathBuf {
        self.config_file.clone().unwrap_or_else(|| self.file(super::data_dir::CONFIG))
    }

    /// The configuration without options of a command.
    pub fn load_config(&self) -> Result<Config, CliError> {
        self.load_config_with(Vec::new())
    }

    /// The configuration; `overrides` are `section.key` and value, from the command line. A missing file counts as an
    /// empty one, unless it was named.
    pub fn load_config_with(&self, overrides: Vec<(String, String)>) -> Result<Config, CliError> {
        let path = self.config_path();
        let file = (self.config_file.is_some() || path.exists()).then_some(path.as_path());
        // values that are not text can't be meant for us
        let env = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        Ok(Config::load_and_check(file, env, overrides, |c| policy::problems(&c.robot))?)
    }
}

impl From<ConfigErrors> for CliError {
    fn from(errors: ConfigErrors) -> Self {
        // no line of the file is wrong, but the file itself; the rest can't be judged without it
        let unread = errors.0.iter().find(|e| matches!(e.origin, Origin::File { line: 0, .. }));
        if let Some(unread) = unread {
            return Self::failure(unread.to_string()).hint(
                "name another with --config; without it kefu.toml in the data directory is used, and kefu init writes that \
                 with every key explained",
            );
        }
        let what = match errors.0.len() {
            1 => format!("the configuration has a mistake\n  {errors}"),
            n => format!("the configuration has {n} mistakes\n  {}", errors.to_string().replace('\n', "\n  ")),
        };
        Self::failure(what).hint("correct the line; kefu.toml as kefu init writes it explains every key")
    }
}
