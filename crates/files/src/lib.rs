//! Files that only their owner can access: created, replaced atomically, never reached through a planted link.
//!
//! Everything that kefu makes in a directory goes through here. A new file is opened with `O_EXCL` and `O_NOFOLLOW`, so
//! that a link under its name is an error and what it points to stays as it is. A file is replaced by one with a random
//! name beside it, which is on disk before it takes the other's place; a loss of power leaves the old one or the new one.

#![forbid(unsafe_code)]

pub mod socket;

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use data_encoding::HEXLOWER;
use ring::rand::{SecureRandom as _, SystemRandom};

/// `O_NOFOLLOW` as the standard library takes it.
const NO_FOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
/// What half-written files are called: `.NAME.new-` and random letters.
const PART: &str = ".new-";
/// No write takes this long: half-written files that are older were left behind by a process that was killed.
const STALE: Duration = Duration::from_hours(1);

/// Makes a file that must not exist, for reading and writing.
///
/// # Errors
/// It exists, also as a link that leads nowhere (`AlreadyExists`); or an I/O error.
pub fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(mode).custom_flags(NO_FOLLOW).open(path)
}

/// Opens a file for reading and writing and creates it if needed; its content is kept. For files that are locked.
///
/// # Errors
/// It is a link, not a regular file, or owned by another user; or an I/O error.
pub fn open_or_create(path: &Path, mode: u32) -> io::Result<File> {
    match create_new(path, mode) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => open_own(path),
        made => made,
    }
}

/// Opens a file that is there, for reading and writing.
///
/// # Errors
/// It is a link, not a regular file, or owned by another user; or an I/O error.
pub fn open_own(path: &Path) -> io::Result<File> {
    // a pipe must not hold the process up
    let flags = NO_FOLLOW | rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path).map_err(|e| linked(path, e))?;
    let meta = file.metadata()?;
    // a hard link to another user's file is not a symbolic link, but it is theirs
    if !meta.is_file() || meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("something else, or another user's file, exists under this name; remove it"));
    }
    Ok(file)
}

/// Reports a link where the system reports "too many levels of symbolic links".
fn linked(path: &Path, e: io::Error) -> io::Error {
    if is_link(path) { io::Error::other("it is a link, and kefu does not follow links here; remove it") } else { e }
}

/// Whether a link has this name.
pub fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|m| m.is_symlink())
}

/// Writes a file that must not exist. On disk when it returns, with its name.
///
/// # Errors
/// It exists, also as a link (`AlreadyExists`); or an I/O error.
pub fn write_new(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    let mut file = create_new(path, mode)?;
    let written = file.write_all(content).and_then(|()| file.sync_all()).and_then(|()| sync_parent(path));
    if written.is_err() {
        // half of it is of no use, and would be in the way of the next attempt
        let _ = fs::remove_file(path);
    }
    written
}

/// Replaces a file in one step, or makes it: readers see the old content or the new, never half of it. On disk when it
/// returns. A link under the name is replaced, not followed.
///
/// # Errors
/// An I/O error; then the old file is as it was.
pub fn replace(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    replace_by(path, mode, |file| file.write_all(content))
}

/// The same with a function that writes.
///
/// # Errors
/// The system or the writer refused; then the old file is as it was.
pub fn replace_by(path: &Path, mode: u32, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    sweep(path);
    let part = part(path)?;
    let mut file = create_new(&part, mode)?;
    let written = write(&mut file).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&part, path));
    drop(file);
    if let Err(e) = written {
        let _ = fs::remove_file(&part);
        return Err(e);
    }
    sync_parent(path)
}

/// Half-written versions of a file, left behind by processes that were killed, or being written now.
pub fn parts(path: &Path) -> Vec<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let start = format!(".{name}{PART}");
    let ours = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(&start);
    fs::read_dir(parent(path)).into_iter().flatten().flatten().filter(ours).map(|entry| entry.path()).collect()
}

/// An unguessable name beside the file, for its next version.
///
/// # Errors
/// The system gives no random numbers.
pub fn part(path: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 12];
    SystemRandom::new().fill(&mut random).map_err(|_| io::Error::other("the system provides no random numbers"))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(path.with_file_name(format!(".{name}{PART}{}", HEXLOWER.encode(&random))))
}

/// Removes what killed processes left of this file.
pub fn sweep(path: &Path) {
    let stale = |meta: Metadata| meta.modified().ok()?.checked_add(STALE).map(|end| end < SystemTime::now());
    for part in parts(path) {
        if fs::symlink_metadata(&part).ok().and_then(stale) == Some(true) {
            // another may be removing it at the same time
            let _ = fs::remove_file(&part);
        }
    }
}

/// Creates a directory that only its owner can access; returns whether it is new. What is there already stays as it is: look at
/// it with [`private_directory`].
///
/// # Errors
/// An I/O error.
pub fn make_directory(path: &Path) -> io::Result<bool> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(false),
        made => made.and_then(|()| sync_parent(path)).map(|()| true),
    }
}

/// What is wrong with a directory that must be ours alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotPrivate {
    /// It is something else, or a link.
    NoDirectory,
    /// Others may enter; its mode.
    Open(u32),
    /// It belongs to this user.
    Foreign(u32),
}

/// Looks at what is known of a directory.
///
/// # Errors
/// It is no directory, others may enter, or it is not ours.
pub fn private_directory(meta: &Metadata) -> Result<(), NotPrivate> {
    let mode = meta.mode() & 0o777;
    if !meta.is_dir() {
        Err(NotPrivate::NoDirectory)
    } else if mode & 0o077 != 0 {
        Err(NotPrivate::Open(mode))
    } else if meta.uid() != rustix::process::geteuid().as_raw() {
        Err(NotPrivate::Foreign(meta.uid()))
    } else {
        Ok(())
    }
}

/// Makes the name of a file durable.
///
/// # Errors
/// An I/O error.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    File::open(parent(path))?.sync_all()
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests;
