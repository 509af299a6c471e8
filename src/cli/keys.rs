//! The company keys on disk, and where passphrases come from: a prompt, a file, a systemd credential; never an argument.

use std::path::PathBuf;

use clap::Args;

/// How a command that signs gets at the company keys.
#[derive(Debug, Args)]
pub struct Signing {
    /// The company keys [default: company.keys in the data directory]
    #[arg(long, value_name = "FILE", env = "KEFU_KEYS", hide_env_values = true)]
    keys: Option<PathBuf>,
    /// File whose first line is the passphrase of the company keys
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// How new company keys shall be sealed.
#[derive(Debug, Args)]
pub struct NewPassphrase {
    /// File whose first line is the new passphrase of the company keys
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Leave the company keys unsealed: for trials only
    #[arg(long, conflicts_with = "passphrase_file")]
    no_passphrase: bool,
}
