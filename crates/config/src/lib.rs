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
pub mod webhook;

pub use address::{Cidr, CidrError, client_address};
pub use check::Problem;
pub use edit::with_value;
pub use error::{ConfigError, ConfigErrors, Origin};
pub use robot::{Answers, Do, Label, Robot, Rule, SiteRobot};
pub use types::{Config, Desk, Directory, Files, Limits, Log, LogFormat, LogLevel, Push, Server, Storage, Tls};
pub use webhook::{Webhook, WebhookEvent, WebhookKind, WebhookLanguage};

/// The default configuration with an explanation of every key: what `kefu init` writes.
pub const TEMPLATE: &str = include_str!("kefu.toml");

/// [`TEMPLATE`] with a `server.public_url` (none: as it is) and with a `storage` that is not the usual one: a company that was
/// created in a Redis must be looked for there.
pub fn template(public_url: Option<&str>, storage: &Storage) -> String {
    let mut file = with_value(TEMPLATE, "server", "public_url", public_url.unwrap_or_default());
    for (key, value) in [
        ("url", &storage.url),
        ("password_file", &storage.password_file),
        ("sentinel_password_file", &storage.sentinel_password_file),
        ("ca", &storage.ca),
        ("prefix", &storage.prefix),
    ] {
        file = with_value(&file, "storage", key, value);
    }
    for (key, value) in
        [("ack_replicas", storage.ack_replicas.to_string()), ("unchecked", storage.unchecked.to_string())]
    {
        file = edit::with_literal(&file, "storage", key, &value);
    }
    file
}
