//! The data directory: which files there are, making them with the right permissions, checking them.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use super::{
    account,
    error::{CliError, Kind},
    io_error::{cannot, quoted},
};
use crate::files::{self, NotPrivate, make_directory, private_directory};

pub use crate::data_dir::*;

/// Makes a directory that only its owner may enter. An existing one is taken if it is ours alone.
pub fn make_private(dir: &Path) -> Result<(), CliError> {
    if let Some(parent) = dir.parent().filter(|p| !p.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(|e| cannot("make", parent, &e))?;
    }
    match make_directory(dir) {
        Ok(false) => check_private(dir),
        made => made.map(drop).map_err(|e| cannot("make", dir, &e)),
    }
}

/// Refuses a data directory that other users can access or own.
pub fn check_private(dir: &Path) -> Result<(), CliError> {
    let meta = fs::metadata(dir).map_err(|e| cannot("read", dir, &e))?;
    let shown = dir.display();
    private_directory(&meta).map_err(|why| match why {
        NotPrivate::NoDirectory => CliError::failure(format!("{shown} is not a directory")),
        NotPrivate::Open(mode) => CliError::failure(format!("other users can access {shown} (mode {mode:03o})"))
            .hint(format!("chmod 700 {}", quoted(dir))),
        NotPrivate::Foreign(uid) => {
            CliError::failure(format!("{shown} belongs to {}, not to you", account::shown(uid)))
                .hint(account::command(uid))
        }
    })
}

/// Writes a new file of the given mode; refuses to replace one.
pub fn write_new(path: &Path, mode: u32, content: &[u8]) -> Result<(), CliError> {
    match files::write_new(path, mode, content) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            Err(CliError::new(Kind::Exists, format!("{} already exists", path.display()))
                .hint("nothing was overwritten"))
        }
        other => other.map_err(|e| cannot("write", path, &e)),
    }
}

/// Replaces a file in one step: readers see the old content or the new, never half of it.
pub fn replace(path: &Path, mode: u32, content: &[u8]) -> Result<(), CliError> {
    files::replace(path, mode, content).map_err(|e| cannot("replace", path, &e))
}

/// Refuses a directory without a company in it.
pub fn require_initialised(dir: &Path) -> Result<(), CliError> {
    match fs::metadata(dir.join(OPAQUE_SETUP)) {
        Ok(_) => return Ok(()),
        Err(e) if e.kind() == ErrorKind::PermissionDenied => return Err(cannot("enter", dir, &e)),
        Err(_) => {}
    }
    let shown = dir.display();
    if dir.join(DATABASE).exists() {
        return Err(CliError::new(Kind::NotInitialised, format!("{shown} contains a database, but no {OPAQUE_SETUP}"))
            .hint(format!("put your copy of {OPAQUE_SETUP} there (mode 600); without it no server can start")));
    }
    Err(CliError::new(Kind::NotInitialised, format!("{shown} contains no kefu installation"))
        .hint("kefu init creates one; use --data-dir DIR or KEFU_DATA_DIR for another directory"))
}

/// Files of a new company that already exist.
pub fn occupied(dir: &Path) -> Vec<PathBuf> {
    let files = [COMPANY_KEYS, OPAQUE_SETUP, CLUSTER_KEY, PUBLIC_PART, CONFIG, TLS, DATABASE];
    files.iter().map(|f| dir.join(f)).filter(|p| p.exists()).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_made_directory_is_private_and_a_public_one_is_refused_with_the_cure() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("a/b");
        make_private(&dir).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        let fail = make_private(&dir).unwrap_err();
        assert!(fail.hint.unwrap().starts_with("chmod 700 "));
    }

    #[test]
    fn new_files_never_replace_and_replaced_files_keep_their_mode() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("k");
        write_new(&path, 0o600, b"1").unwrap();
        assert_eq!(write_new(&path, 0o600, b"2").unwrap_err().kind, Kind::Exists);
        assert_eq!(fs::read(&path).unwrap(), b"1");
        replace(&path, 0o600, b"3").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"3");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 1);
    }
}
