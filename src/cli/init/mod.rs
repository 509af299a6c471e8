//! `kefu init`: a new company.

use super::keys::NewPassphrase;
use super::{context::Context, fail::Fail};
use crate::proto::UserId;
use std::path::PathBuf;

/// Make a data directory with the keys of a new company
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the company
    #[arg(long, value_name = "NAME", default_value = "kefu")]
    name: String,
    /// Keys for another machine: make them in DIR, to be kept away from the server
    #[arg(long, value_name = "DIR", conflicts_with = "from")]
    offline: Option<PathBuf>,
    /// The server's part of keys that were made with --offline
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    #[command(flatten)]
    passphrase: NewPassphrase,
    /// Certificate chain to use instead of a made one (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Names and addresses the made certificate is for [default: this machine's]
    #[arg(long = "host", value_name = "NAME", num_args = 1..)]
    hosts: Vec<String>,
    /// Login name of the first admin
    #[arg(long, value_name = "ID", default_value = "admin")]
    admin: UserId,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
