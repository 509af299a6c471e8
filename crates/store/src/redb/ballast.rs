//! A file beside the database that reserves space and contains no data. It is removed when the disk is full, so that the database
//! can be opened again, and recreated when there is space.

use std::{
    fs,
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::PathBuf,
};

use rustix::fs::{FallocateFlags, OFlags, fallocate};

/// If a file system cannot allocate space by a call, zeros are written in pieces of this size.
const PIECE: usize = 256 * 1024;

/// Path of the ballast file.
#[derive(Debug)]
pub(super) struct Ballast(PathBuf);

impl Ballast {
    /// At this place, whether it is there or not.
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Whether it is there and of this size.
    pub fn is_there(&self, bytes: u64) -> bool {
        fs::symlink_metadata(&self.0).is_ok_and(|m| m.is_file() && m.len() == bytes)
    }

    /// Removes a ballast that takes no space: a sparse file, which a copy of the directory may have made.
    pub fn distrust(&self) -> io::Result<()> {
        match fs::symlink_metadata(&self.0) {
            Ok(m) if m.is_file() && m.blocks() * 512 >= m.len() => Ok(()),
            _ => self.give_up(),
        }
    }

    /// Creates it, and replaces anything with its name. Leaves nothing if there is no space.
    pub fn make(&self, bytes: u64) -> io::Result<()> {
        if self.is_there(bytes) {
            return Ok(());
        }
        self.give_up()?;
        let made = self.allocate(bytes);
        if made.is_err() {
            // half a ballast would take space and count as none
            let _ = fs::remove_file(&self.0);
        }
        made
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600).custom_flags(OFlags::NOFOLLOW.bits() as i32);
        let mut file = options.open(&self.0)?;
        match fallocate(&file, FallocateFlags::empty(), 0, bytes) {
            // allocated now; a loss of power loses at most the ballast
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS | rustix::io::Errno::INVAL) => {
                let zeros = vec![0; PIECE];
                let mut left = bytes;
                while left > 0 {
                    let piece = left.min(PIECE as u64);
                    file.write_all(&zeros[..piece as usize])?;
                    left -= piece;
                }
            }
            Err(e) => return Err(e.into()),
        }
        file.sync_all()
    }

    /// Removes it, if it exists. Anything else with its name is removed, too; links are not followed.
    pub fn give_up(&self) -> io::Result<()> {
        match fs::remove_file(&self.0) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn it_takes_room_is_private_and_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ballast");
        let ballast = Ballast::at(path.clone());
        assert!(!ballast.is_there(1 << 20));
        ballast.give_up().unwrap();
        for _ in 0..2 {
            ballast.make(1 << 20).unwrap();
            ballast.distrust().unwrap();
            assert!(ballast.is_there(1 << 20) && !ballast.is_there(1 << 21));
        }
        let meta = fs::metadata(&path).unwrap();
        assert_eq!((meta.permissions().mode() & 0o777, meta.len()), (0o600, 1 << 20));
        assert!(meta.blocks() * 512 >= 1 << 20, "only a hole");
        ballast.give_up().unwrap();
        assert!(!path.exists());
        fs::File::create(&path).unwrap().set_len(1 << 20).unwrap();
        ballast.distrust().unwrap();
        assert!(!path.exists(), "a hole takes no room");
    }

    #[test]
    fn a_planted_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("ballast"), dir.path().join("other"));
        fs::write(&other, "text").unwrap();
        symlink(&other, &path).unwrap();
        let ballast = Ballast::at(path.clone());
        assert!(!ballast.is_there(4));
        ballast.make(4096).unwrap();
        assert!(ballast.is_there(4096) && fs::symlink_metadata(&path).unwrap().is_file());
        assert_eq!(fs::read(&other).unwrap(), b"text");
    }
}
