//! The company keys on disk, and acts that are signed with them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use zeroize::Zeroizing;

use super::{
    admin_client::AdminClient,
    clock,
    context::Context,
    data_dir::{self},
    error::{CliError, Kind},
    io_error::cannot,
    secret,
    seen::Seen,
    verified_directory::{VerifiedDirectory, same_company},
};
use crate::{
    crypto::keyfile::{CompanyKeys, KeyFileError},
    org::{Commit, acts::Signer},
};

/// How a command that signs gets at the company keys.
#[derive(Debug, Args)]
#[command(next_help_heading = "Signing")]
pub struct Signing {
    /// The company keys [default: company.keys in the data directory]
    #[arg(long, value_name = "FILE", env = "KEFU_KEYS", hide_env_values = true)]
    keys: Option<PathBuf>,
    /// File whose first line is the passphrase of the company keys
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Signing {
    fn path(&self, ctx: &Context) -> PathBuf {
        self.keys.clone().unwrap_or_else(|| ctx.file(data_dir::COMPANY_KEYS))
    }

    /// What was signed with these keys so far.
    pub fn seen(&self, ctx: &Context) -> Seen {
        Seen::beside(&self.path(ctx))
    }

    /// Opens the key file; asks for the passphrase if it is sealed.
    pub fn unlock(&self, ctx: &Context) -> Result<CompanyKeys, CliError> {
        let path = self.path(ctx);
        if self.keys.is_none() && !path.exists() {
            return Err(CliError::failure(format!(
                "the company keys are not on this machine: {} does not exist",
                path.display()
            ))
            .hint("bring the key file and name it with --keys FILE"));
        }
        keep_memory_private();
        let text = fs::read_to_string(&path).map(Zeroizing::new).map_err(|e| cannot("read", &path, &e))?;
        let passphrase = match CompanyKeys::is_sealed(&text).map_err(|e| key_file_error(&path, &e))? {
            true => Some(secret::existing(self.passphrase_file.as_deref())?),
            false => None,
        };
        CompanyKeys::from_text(&text, passphrase.as_ref().map(|p| p.as_str())).map_err(|e| key_file_error(&path, &e))
    }

    /// Makes a change and sends it; if the directory changed in the meantime, makes it again on the new state. `check` runs before
    /// the passphrase is asked for: a mistyped id must not cost a prompt.
    pub fn act<T>(
        &self,
        ctx: &Context,
        check: impl Fn(&VerifiedDirectory) -> Result<(), CliError>,
        change: impl Fn(&VerifiedDirectory, &Signer<'_>) -> Result<(Commit, T), CliError>,
    ) -> Result<T, CliError> {
        check(&VerifiedDirectory::open(ctx)?)?;
        // nothing is kept open during the prompt
        let keys = self.unlock(ctx)?;
        let admin = AdminClient::open(ctx)?;
        let done = commit_until_it_fits(ctx, &admin, &keys, &self.seen(ctx), check, change);
        admin.close();
        done
    }
}

fn commit_until_it_fits<T>(
    ctx: &Context,
    admin: &AdminClient,
    keys: &CompanyKeys,
    seen: &Seen,
    check: impl Fn(&VerifiedDirectory) -> Result<(), CliError>,
    change: impl Fn(&VerifiedDirectory, &Signer<'_>) -> Result<(Commit, T), CliError>,
) -> Result<T, CliError> {
    let mut tries = 0;
    loop {
        let company = VerifiedDirectory::load(ctx, admin)?;
        same_company(keys, &company)?;
        seen.check(&company.dir)?;
        check(&company)?;
        let days = u64::from(ctx.load_config()?.directory.freshness_days);
        let signer = Signer::new(company.dir.clone(), &company.view, keys, company.now_ms)?.fresh_for(days);
        let (commit, result) = change(&company, &signer)?;
        if tries == 0 {
            clock::warn(&company);
            signer.ignored().iter().for_each(|ignored| eprintln!("warning: {ignored}"));
        }
        match admin.commit(&commit) {
            Ok(()) => {
                seen.remember(&company.after(&commit)?);
                return Ok(result);
            }
            Err(fail) if fail.kind == Kind::Conflict && tries < TRIES => tries += 1,
            Err(fail) => return Err(fail),
        }
    }
}

/// How often a change is made again when others are faster.
const TRIES: u32 = 3;

/// How to seal new company keys.
#[derive(Debug, Args)]
pub struct NewPassphrase {
    /// File whose first line is the new passphrase of the company keys
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Leave the company keys unsealed: for trials only
    #[arg(long, conflicts_with = "passphrase_file")]
    no_passphrase: bool,
}

impl NewPassphrase {
    /// The passphrase to seal with; none if that was asked for.
    pub fn choose(&self) -> Result<Option<secret::Passphrase>, CliError> {
        if self.no_passphrase { Ok(None) } else { secret::new(self.passphrase_file.as_deref()).map(Some) }
    }
}

/// From here on keys are in memory: no core dump, no look from other processes of the same user. A system that
/// does not support this runs without it.
pub fn keep_memory_private() {
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Writes a key file that only its owner can read.
pub fn write(path: &Path, keys: &CompanyKeys, passphrase: Option<&secret::Passphrase>) -> Result<(), CliError> {
    let text = keys.to_text(passphrase.map(|p| p.as_str())).map_err(|e| key_file_error(path, &e))?;
    data_dir::write_new(path, 0o600, text.as_bytes())
}

/// Why a key file can't be used.
fn key_file_error(path: &Path, e: &KeyFileError) -> CliError {
    match e {
        KeyFileError::Open => CliError::new(Kind::Passphrase, "the passphrase of the company keys is wrong")
            .hint(format!("{} was not changed; try again", path.display())),
        KeyFileError::NeedsPassphrase => CliError::new(Kind::Passphrase, e.to_string()),
        _ => CliError::failure(format!("{}: {e}", path.display())),
    }
}
