//! One typed configuration.
//!
//! Four layers, each winning over the one before: the commented default [`TEMPLATE`] (embedded; a test holds it equal to
//! `Config::default()`), the file, the environment (`KEFU_<SECTION>__<KEY>`), the command line. [`Config::load`] reports
//! every problem of every layer at once, each with the line or the variable it comes from. It reads nothing but
//! the one file.

#![forbid(unsafe_code)]

mod address;
mod check;
mod edit;
mod error;
mod load;
pub mod robot;
mod types;

pub use address::{Cidr, CidrError, client_address};
pub use check::Problem;
pub use edit::with_value;
pub use error::{ConfigError, ConfigErrors, Origin};
pub use robot::{Answers, Do, Label, Robot, Rule, SiteRobot};
pub use types::{Config, Desk, Directory, Limits, Log, LogFormat, LogLevel, Server, Storage, Tls};

/// The default configuration with an explanation of every key: what `kefu init` writes.
pub const TEMPLATE: &str = include_str!("kefu.toml");

/// [`TEMPLATE`] with a `server.public_url`, which has nothing that TOML would escape.
pub fn template(public_url: &str) -> String {
    TEMPLATE.replacen("public_url = \"\"", &format!("public_url = \"{public_url}\""), 1)
}
