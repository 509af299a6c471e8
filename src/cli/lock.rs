//! One server per data directory: a lock that the system releases when its holder dies; it contains the holder's process id.

use std::{
    fs::{File, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::Path,
};

use super::{
    data_dir::LOCK,
    error::{CliError, Kind},
    io_error::cannot,
};
use crate::files::open_or_create;

/// Held as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Takes the lock of a data directory, or fails with the process that holds it.
pub fn take(dir: &Path) -> Result<Lock, CliError> {
    let path = dir.join(LOCK);
    let mut file = open_or_create(&path, 0o600).map_err(|e| cannot("open", &path, &e))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let who = holder(&mut file).map_or_else(|| "another process".into(), |pid| format!("process {pid}"));
            return Err(CliError::new(
                Kind::Conflict,
                format!("{} is in use: a kefu server is running as {who}", dir.display()),
            )
            .hint("stop it first, or name another directory with --data-dir"));
        }
        Err(TryLockError::Error(e)) => return Err(cannot("lock", &path, &e)),
    }
    let note = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
    note.map_err(|e| cannot("write", &path, &e))?;
    Ok(Lock { _file: file })
}

/// The process id of the running server of a data directory, if one runs.
pub fn running(dir: &Path) -> Option<u32> {
    let mut file = File::open(dir.join(LOCK)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => holder(&mut file),
        _ => None,
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_hears_who_the_first_is() {
        let tmp = tempfile::tempdir().unwrap();
        assert_eq!(running(tmp.path()), None);
        let first = take(tmp.path()).unwrap();
        let fail = take(tmp.path()).unwrap_err();
        assert_eq!(fail.kind, Kind::Conflict);
        assert!(fail.what.contains(&format!("process {}", std::process::id())), "{}", fail.what);
        assert_eq!(running(tmp.path()), Some(std::process::id()));
        drop(first);
        assert_eq!(running(tmp.path()), None);
        take(tmp.path()).unwrap();
    }
}
