//! Where the log keeps its segments: numbered files, normally in a directory beside the database.

use std::{
    fmt, fs,
    io::{self, ErrorKind},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{Advice, FlockOperation, fadvise, flock};

/// Zeros are written in pieces of this size.
const PIECE: usize = 1024 * 1024;

/// The files of a log. Tests of faults have their own.
pub trait LogFiles: Send + Sync + fmt::Debug {
    /// Numbers of the files that exist.
    fn existing(&self) -> io::Result<Vec<u32>>;

    /// Opens a file, an empty one if it does not exist.
    fn open(&self, number: u32) -> io::Result<Box<dyn LogFile>>;
}

/// One file of a log.
pub trait LogFile: Send + Sync + fmt::Debug {
    /// Its length.
    fn bytes(&self) -> io::Result<u64>;

    /// Up to `limit` bytes from its beginning, as the disk has them: what an earlier process wrote is brought to the disk first.
    fn read(&self, limit: usize) -> io::Result<Vec<u8>>;

    /// Writes `data` at `at`; it is on disk when this returns.
    fn write(&self, at: u64, data: &[u8]) -> io::Result<()>;

    /// Makes it at least `bytes` long with zeros at its end, on disk when this returns. Overwriting then needs no more space, and
    /// a sync has no metadata to write.
    fn extend(&self, bytes: u64) -> io::Result<()>;
}

/// The log in a directory that only one process has.
#[derive(Debug)]
pub(in crate::redb) struct Directory {
    path: PathBuf,
    /// Holds the lock.
    _lock: fs::File,
}

impl Directory {
    /// The directory at `path`, made if it is missing. [`ErrorKind::WouldBlock`]: another process has it.
    pub fn open(path: &Path) -> io::Result<Self> {
        kefu_files::make_directory(path)?;
        let meta = fs::symlink_metadata(path)?;
        if !meta.is_dir() {
            return Err(io::Error::other("the log's directory is a link or a file; kefu does not follow links here"));
        }
        let lock = fs::File::open(path)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    fn file(&self, number: u32) -> PathBuf {
        self.path.join(format!("{number:02}.log"))
    }
}

impl LogFiles for Directory {
    fn existing(&self) -> io::Result<Vec<u32>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".log")).and_then(|n| n.parse::<u32>().ok());
            numbers.extend(number);
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn open(&self, number: u32) -> io::Result<Box<dyn LogFile>> {
        let path = self.file(number);
        let is_new = !path.try_exists()?;
        let file = kefu_files::open_or_create(&path, 0o600)?;
        if is_new {
            kefu_files::sync_parent(&path)?;
        }
        Ok(Box::new(Segment(file)))
    }
}

/// Bytes of the files in a directory; 0 if it cannot be read.
pub(in crate::redb) fn bytes_in(directory: &Path) -> u64 {
    let files = fs::read_dir(directory).into_iter().flatten().flatten();
    files.filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).sum()
}

#[derive(Debug)]
struct Segment(fs::File);

impl LogFile for Segment {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read(&self, limit: usize) -> io::Result<Vec<u8>> {
        // when a sync fails, Linux forgets that what it could not write is not on disk, and keeps showing it. So what it shows
        // is brought to the disk or forgotten before it is believed
        self.0.sync_all()?;
        fadvise(&self.0, 0, None, Advice::DontNeed)?;
        let mut content = vec![0; limit.min(self.bytes()? as usize)];
        self.0.read_exact_at(&mut content, 0)?;
        Ok(content)
    }

    fn write(&self, at: u64, data: &[u8]) -> io::Result<()> {
        self.0.write_all_at(data, at)?;
        self.0.sync_data()
    }

    fn extend(&self, bytes: u64) -> io::Result<()> {
        let zeros = vec![0; PIECE];
        let mut at = self.bytes()?;
        while at < bytes {
            let piece = (bytes - at).min(PIECE as u64);
            match self.0.write_all_at(&zeros[..piece as usize], at) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                done => {
                    done?;
                    at += piece;
                }
            }
        }
        self.0.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_directory_has_one_owner_and_its_files_are_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kefu.redb.wal");
        let log = Directory::open(&path).unwrap();
        assert_eq!(Directory::open(&path).unwrap_err().kind(), ErrorKind::WouldBlock);
        let file = log.open(3).unwrap();
        file.extend(3 * PIECE as u64 / 2).unwrap();
        file.write(4096, b"text").unwrap();
        assert_eq!((log.existing().unwrap(), bytes_in(&path)), (vec![3], 3 * PIECE as u64 / 2));
        assert_eq!(file.read(usize::MAX).unwrap()[4096..4101], *b"text\0");
        for (path, mode) in [(path.clone(), 0o700), (path.join("03.log"), 0o600)] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
        }
        drop(log);
        assert!(
            Directory::open(&path).unwrap().open(3).unwrap().read(usize::MAX).unwrap()[4096..].starts_with(b"text")
        );
    }

    #[test]
    fn links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("kefu.redb.wal"), dir.path().join("other"));
        fs::create_dir(&other).unwrap();
        symlink(&other, &path).unwrap();
        assert!(Directory::open(&path).is_err());
        let log = Directory::open(&other).unwrap();
        symlink(dir.path().join("text"), other.join("00.log")).unwrap();
        assert!(log.open(0).is_err() && !dir.path().join("text").exists());
    }
}
