//! The file of a backup: under another name until it is complete, then in the place of an older backup or of nothing.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use rustix::fs::{Advice, fadvise};

use crate::{
    cli::{
        error::{CliError, Kind},
        io_error::cannot,
    },
    files::{self, create_new},
    store::archive::MAGIC,
};

/// A file that is being written. Dropped before [`Part::keep`], it is removed.
#[derive(Debug)]
pub struct Part {
    /// What it will be called.
    pub path: PathBuf,
    /// To write to.
    pub file: File,
    /// What it is called until then.
    now: PathBuf,
}

impl Part {
    /// Begins a file at `target`, or in it if it is a directory.
    pub fn create(target: &Path, now_ms: u64) -> Result<Self, CliError> {
        let path = if target.is_dir() { target.join(name(now_ms)) } else { target.to_owned() };
        if path.file_name().is_none() {
            return Err(CliError::failure(format!("{} is not the name of a file", path.display())));
        }
        refuse_other(&path)?;
        if target.is_dir() {
            sweep(target);
        }
        files::sweep(&path);
        let part = files::part(&path).map_err(|e| cannot("write", &path, &e))?;
        let file = create_new(&part, 0o600).map_err(|e| cannot("write", &path, &e))?;
        Ok(Self { path, file, now: part })
    }

    /// The file under its other name, on disk. What is read of it comes from there as far as the system allows.
    pub fn written(&self) -> Result<&Path, CliError> {
        self.file.sync_all().map_err(|e| cannot("write", &self.path, &e))?;
        // a file system without this reads from memory
        let _ = fadvise(&self.file, 0, None, Advice::DontNeed);
        Ok(&self.now)
    }

    /// Gives it its name, durably.
    pub fn keep(self) -> Result<PathBuf, CliError> {
        let renamed = fs::rename(&self.now, &self.path).and_then(|()| files::sync_parent(&self.path));
        renamed.map_err(|e| cannot("write", &self.path, &e))?;
        Ok(self.path.clone())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // renamed, it is gone
        let _ = fs::remove_file(&self.now);
    }
}

/// `kefu-20261129T220143Z.backup`.
fn name(now_ms: u64) -> String {
    let time = i64::try_from(now_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
    format!("kefu-{}.backup", time.strftime("%Y%m%dT%H%M%SZ"))
}

/// Only a backup is replaced.
fn refuse_other(path: &Path) -> Result<(), CliError> {
    let mut begin = Vec::new();
    match File::open(path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut begin)) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(cannot("read", path, &e)),
        Ok(_) if begin == MAGIC => Ok(()),
        Ok(_) => Err(CliError::new(Kind::Exists, format!("{} exists and is not a backup", path.display()))
            .hint("nothing was changed; choose another name")),
    }
}

/// Removes what killed commands left of backups in a directory.
fn sweep(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let backup = name.strip_prefix('.').and_then(|name| name.split_once(".backup.")).map(|(backup, _)| backup);
        if let Some(backup) = backup.filter(|backup| backup.starts_with("kefu-")) {
            files::sweep(&dir.join(format!("{backup}.backup")));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn a_backup_is_named_by_its_time_and_only_a_backup_is_replaced() {
        assert_eq!(name(0), "kefu-19700101T000000Z.backup");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        refuse_other(&path).unwrap();
        for (content, fine) in [(&b"kefu backup\n..."[..], true), (b"kefu", false), (b"", false)] {
            fs::write(&path, content).unwrap();
            assert_eq!(refuse_other(&path).is_ok(), fine);
        }
    }

    #[test]
    fn what_is_not_kept_is_removed_and_old_leftovers_too() {
        let dir = tempfile::tempdir().unwrap();
        let old = dir.path().join(".kefu-20200101T000000Z.backup.new-00");
        File::create(&old).unwrap().set_modified(SystemTime::now() - Duration::from_hours(2)).unwrap();
        drop(Part::create(dir.path(), 0).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let part = Part::create(&dir.path().join("b"), 0).unwrap();
        part.written().unwrap();
        assert_eq!(part.keep().unwrap(), dir.path().join("b"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
