//! One typed configuration.
//!
//! Four layers, each winning over the one before: the commented default [`TEMPLATE`] (embedded; a test holds it equal to
//! `Config::default()`), the file, the environment (`KEFU_<SECTION>__<KEY>`), the command line. [`Config::load`] reports
//! every problem of every layer at once, each with the line or the variable it comes from. It reads nothing but
//! the one file.

#![forbid(unsafe_code)]

mod address;
mod check;
mod error;
mod load;
pub mod robot;
mod types;

pub use address::{Cidr, CidrError, client_address};
pub use check::Problem;
pub use error::{ConfigError, ConfigErrors, Origin};
pub use robot::{Answers, Do, Label, Robot, Rule, SiteRobot};
pub use types::{Config, Desk, Directory, Limits, Log, LogFormat, LogLevel, Server, Storage, Tls};

/// The default configuration with an explanation of every key: what `kefu init` writes.
pub const TEMPLATE: &str = include_str!("kefu.toml");

/// [`TEMPLATE`] with a `server.public_url` (none: as it is) and with a `storage` that is not the usual one: a company that was
/// created in a Redis must be looked for there.
pub fn template(public_url: Option<&str>, storage: &Storage) -> String {
    let usual = Storage::default();
    let text = |value: &str| toml::Value::from(value).to_string();
    let values = [
        ("public_url", text(""), text(public_url.unwrap_or_default())),
        ("url", text(&usual.url), text(&storage.url)),
        ("password_file", text(""), text(&storage.password_file)),
        ("ca", text(""), text(&storage.ca)),
        ("prefix", text(&usual.prefix), text(&storage.prefix)),
        ("ack_replicas", usual.ack_replicas.to_string(), storage.ack_replicas.to_string()),
        ("unchecked", usual.unchecked.to_string(), storage.unchecked.to_string()),
    ];
    values.iter().fold(TEMPLATE.to_owned(), |file, (key, usual, value)| {
        file.replacen(&format!("\n{key} = {usual}\n"), &format!("\n{key} = {value}\n"), 1)
    })
}
