//! The write-ahead log: what is acknowledged is here first, and in the database only later.
//!
//! The log is a row of numbered groups in a small number of files of the same size. Each use of a file is a *segment*, with a
//! number of its own. A group is one write and one sync. When a segment is full, the next file begins a new one; a file
//! is used again when the database holds all of its groups, durably. So the size of the log is bounded, and the writer waits
//! when the database falls behind.
//!
//! Here: which segments there are, appending, and reading them when the store is opened. `segment.rs` has the bytes and
//! `files.rs` the files. What a group means is not known here.
//!
//! After a failed write nobody can know what the disk has. The group is then declared void: a new segment says that it
//! begins with the same number, and only when that is on disk the group counts as not written.

pub mod files;
pub(super) mod segment;

use std::{io, sync::Arc, time::Duration};

use parking_lot::{Condvar, Mutex};

use self::{
    files::{LogFile, LogFiles},
    segment::{FIRST_GROUP, GROUP_HEADER, Header, StoreId, padded},
};
use crate::StoreError;

/// How large the log may become.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of a segment; one is larger if a single group is.
    pub segment: usize,
    /// Maximum number of files.
    pub files: u32,
}

/// What the database says of its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Partner {
    /// The store that both belong to.
    pub store: StoreId,
    /// The last group that the database contains.
    pub settled: u64,
    /// The database was closed and contains everything; the log may be missing.
    pub complete: bool,
}

/// Why a group was not written.
#[derive(Debug)]
pub(super) enum AppendError {
    /// All files hold groups that the database lacks.
    Full,
    /// The disk refused.
    Io(io::Error),
}

/// The writer's side of the log.
#[derive(Debug)]
pub(super) struct Wal {
    files: Arc<Files>,
    store: StoreId,
    current: Option<Current>,
    /// Number of the next segment.
    segment: u64,
    /// Number of the last group.
    last: u64,
}

/// The segment that is being written.
#[derive(Debug)]
struct Current {
    file: File,
    header: Header,
    /// Where the next group begins.
    at: usize,
}

#[derive(Debug)]
struct File {
    file: Box<dyn LogFile>,
    bytes: usize,
}

/// The files that are not being written, shared with those who settle.
#[derive(Debug)]
pub(super) struct Files {
    all: Box<dyn LogFiles>,
    limits: Limits,
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Debug)]
struct State {
    free: Vec<File>,
    /// With the last group in each.
    full: Vec<(u64, File)>,
    /// The last group that the database contains, durably.
    settled: u64,
    /// Number of the next file.
    next: u32,
    count: u32,
}

impl Wal {
    /// Opens the log that belongs to `partner` and passes the groups that the database lacks to `replay`, in order.
    ///
    /// Errors: the disk; a log of another store; a log or a database that is older than the other; damage anywhere but at
    /// the end.
    pub fn open(
        all: Box<dyn LogFiles>,
        partner: &Partner,
        limits: Limits,
        mut replay: impl FnMut(u64, &[u8]) -> Result<(), StoreError>,
    ) -> Result<Self, StoreError> {
        let numbers = all.existing().map_err(disk)?;
        let (mut free, mut segments) = (Vec::new(), Vec::new());
        for number in &numbers {
            let file = all.open(*number).map_err(disk)?;
            let header = Header::decode(&file.read(FIRST_GROUP).map_err(disk)?)?;
            let bytes = file.bytes().map_err(disk)? as usize;
            let file = File { file, bytes };
            match header {
                None => free.push(file),
                Some(header) if header.store != partner.store => {
                    return Err(StoreError::Corrupt("the log beside it belongs to another database".into()));
                }
                Some(header) => segments.push((header, file)),
            }
        }
        segments.sort_by_key(|(header, _)| header.segment);
        let ends: Vec<u64> = segments.iter().skip(1).map(|(header, _)| header.first).chain([u64::MAX]).collect();
        let (mut last, mut full, mut segment) = (None, Vec::new(), 1);
        for ((header, file), end) in segments.into_iter().zip(ends) {
            segment = header.segment + 1;
            // everything in it was settled before the next one began
            if end <= partner.settled + 1 {
                free.push(file);
                continue;
            }
            let expected = last.map_or(partner.settled, |last: u64| last) + 1;
            if header.first > expected {
                return Err(hole(expected, header.first));
            }
            let content = file.file.read(file.bytes).map_err(disk)?;
            let next =
                header.walk(
                    &content,
                    end,
                    |number, payload| {
                        if number > partner.settled { replay(number, payload) } else { Ok(()) }
                    },
                )?;
            if end != u64::MAX && next < end {
                return Err(hole(next, end));
            }
            last = Some(next - 1);
            full.push((next - 1, file));
        }
        match last {
            Some(last) if last < partner.settled => {
                return Err(StoreError::Corrupt(format!(
                    "the log beside it ends with group {last}, but it contains {}: they are of different times; restore \
                     both from one backup",
                    partner.settled
                )));
            }
            None if !partner.complete => {
                return Err(StoreError::Corrupt(
                    "it was not closed, and its log is missing: restore both from one backup".into(),
                ));
            }
            _ => {}
        }
        let last = last.unwrap_or(partner.settled);
        let next = numbers.last().map_or(0, |number| number + 1);
        let count = numbers.len() as u32;
        let state = Mutex::new(State { free, full, settled: partner.settled, next, count });
        let files = Arc::new(Files { all, limits, state, released: Condvar::new() });
        files.release(partner.settled);
        Ok(Self { files, store: partner.store, current: None, segment, last })
    }

    /// The files, for those who settle.
    pub fn files(&self) -> Arc<Files> {
        Arc::clone(&self.files)
    }

    /// Number of the last group.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Finds a place for a group of so many bytes, header included. On an error nothing was written.
    pub fn reserve(&mut self, bytes: usize) -> Result<(), AppendError> {
        match &self.current {
            Some(current) if current.at + padded(bytes) <= current.file.bytes => Ok(()),
            _ => self.begin_segment(bytes),
        }
    }

    /// Writes the next group, for which there is a place. `group` is [`GROUP_HEADER`] bytes of space and then the payload.
    /// After an error it is not known whether it was written: see [`Wal::void`].
    pub fn append(&mut self, group: &mut Vec<u8>) -> io::Result<()> {
        let number = self.last + 1;
        let Some(current) = &mut self.current else { return Err(io::Error::other("no place was reserved")) };
        current.header.seal(number, group);
        current.file.file.write(current.at as u64, group)?;
        current.at += group.len();
        self.last = number;
        Ok(())
    }

    /// Begins a segment, so that there is one.
    pub fn begin(&mut self) -> Result<(), StoreError> {
        self.begin_segment(GROUP_HEADER).map_err(|e| match e {
            AppendError::Io(e) => disk(e),
            AppendError::Full => StoreError::Busy,
        })
    }

    /// Declares the group after the last void, whatever the disk has of it.
    pub fn void(&mut self) -> Result<(), AppendError> {
        self.begin_segment(GROUP_HEADER)
    }

    /// Begins a segment with space for a group of so many bytes.
    fn begin_segment(&mut self, bytes: usize) -> Result<(), AppendError> {
        if let Some(Current { file, .. }) = self.current.take() {
            self.files.retire(self.last, file);
        }
        let mut file = self.files.take()?;
        let header = Header { store: self.store, segment: self.segment, first: self.last + 1 };
        // not used again, even if it is not known whether the disk has it
        self.segment += 1;
        let ready = (|| {
            let needed = (FIRST_GROUP + padded(bytes)).max(self.files.limits.segment);
            if file.bytes < needed {
                file.file.extend(needed as u64)?;
                file.bytes = needed;
            }
            file.file.write(0, &header.encode())
        })();
        match ready {
            Ok(()) => {
                self.current = Some(Current { file, header, at: FIRST_GROUP });
                Ok(())
            }
            Err(e) => {
                self.files.state.lock().free.push(file);
                Err(AppendError::Io(e))
            }
        }
    }
}

impl Files {
    /// A file that may be overwritten: one that is free, or a new one.
    fn take(&self) -> Result<File, AppendError> {
        let mut state = self.state.lock();
        if let Some(file) = state.free.pop() {
            return Ok(file);
        }
        if state.count >= self.limits.files {
            return Err(AppendError::Full);
        }
        let file = self.all.open(state.next).map_err(AppendError::Io)?;
        let bytes = file.bytes().map_err(AppendError::Io)? as usize;
        state.next += 1;
        state.count += 1;
        Ok(File { file, bytes })
    }

    /// Takes a file whose segment ended with the group `last`.
    fn retire(&self, last: u64, file: File) {
        let mut state = self.state.lock();
        if last <= state.settled { state.free.push(file) } else { state.full.push((last, file)) }
    }

    /// The database contains the groups up to `settled`, durably: files that hold no later ones are free.
    pub fn release(&self, settled: u64) {
        let mut state = self.state.lock();
        state.settled = state.settled.max(settled);
        let (free, full) = std::mem::take(&mut state.full).into_iter().partition(|(last, _)| *last <= settled);
        state.full = full;
        state.free.extend(free.into_iter().map(|(_, file): (u64, File)| file));
        drop(state);
        self.released.notify_all();
    }

    /// Waits for a release, or this long.
    pub fn wait_for_release(&self, pause: Duration) {
        let mut state = self.state.lock();
        if state.free.is_empty() && state.count >= self.limits.files {
            self.released.wait_for(&mut state, pause);
        }
    }

    /// Creates the next file ahead of time, so that no message waits for its zeros. An error will be noticed by the writer.
    pub fn prepare(&self) {
        {
            let state = self.state.lock();
            if !state.free.is_empty() || state.count >= self.limits.files {
                return;
            }
        }
        let Ok(mut file) = self.take() else { return };
        if file.bytes < self.limits.segment && file.file.extend(self.limits.segment as u64).is_ok() {
            file.bytes = self.limits.segment;
        }
        self.state.lock().free.push(file);
    }
}

fn disk(e: io::Error) -> StoreError {
    match e.kind() {
        io::ErrorKind::WouldBlock => StoreError::InUse,
        _ => StoreError::Io(format!("the log: {e}")),
    }
}

fn hole(missing: u64, found: u64) -> StoreError {
    StoreError::Corrupt(format!(
        "its log has a hole: group {missing} is missing, group {found} is there; restore both from one backup"
    ))
}
