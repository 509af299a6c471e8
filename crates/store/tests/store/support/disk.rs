//! A disk in memory that fails on command: it refuses writes, is full, or loses power. Its first file is redb's backend, the
//! others are the store's log.
//!
//! What was synced survives a loss of power. Of each write and each change of length since then, a random part does: all,
//! nothing, or some of its sectors, in no particular order. A sync that fails may lose as much, without a word: Linux
//! forgets what it could not write.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard},
};

use kefu_store::{
    Feed, StoreError,
    redb::{
        Options, RedbStore,
        wal::files::{LogFile, LogFiles},
    },
};
use redb::StorageBackend;

const SECTOR: usize = 512;

/// A small generator of numbers for tests that must run the same way again (SplitMix64).
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// Below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// A file of the disk; clones are handles to the same one. What is not about one file is about the whole disk.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    inner: Arc<(Mutex<Inner>, Condvar)>,
    /// 0: the database; the others: the log.
    file: u32,
}

#[derive(Debug, Default, Clone)]
struct Content {
    live: Vec<u8>,
    synced: Vec<u8>,
    /// Since the last sync, in order.
    unsynced: Vec<Change>,
    /// Allocated blocks.
    blocks: BTreeSet<usize>,
}

#[derive(Debug, Default)]
struct Inner {
    files: BTreeMap<u32, Content>,
    /// Writes, syncs and changes of length so far.
    changes: u64,
    /// From this change on, every one fails with this error number.
    fails: Option<(u64, i32)>,
    /// Bytes that were read.
    read: u64,
    /// This one change fails.
    fault: Option<Fault>,
    /// From this change on there is no space for new blocks; existing ones can be overwritten.
    no_room: Option<u64>,
    /// Syncs wait while this is set.
    held: bool,
    /// Whether a sync waits.
    syncing: bool,
}

/// One change that fails.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Which, counted from the beginning.
    pub at: u64,
    /// With which error number.
    pub error: i32,
    /// A write leaves a part of itself, a sync loses a part of what it should have kept.
    pub torn: Option<Random>,
    /// Only a change of this file.
    pub file: Option<u32>,
}

impl Fault {
    /// Of the first change from this one on, whichever it is.
    pub fn at(at: u64, error: i32) -> Self {
        Self { at, error, torn: None, file: None }
    }
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

/// The error number of a disk that is broken.
pub const EIO: i32 = 5;
/// The error number of a disk that is full.
pub const ENOSPC: i32 = 28;
const BLOCK: usize = 4096;

impl Disk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    fn holding(files: impl Iterator<Item = (u32, Vec<u8>)>) -> Self {
        let files = files.map(|(number, content)| {
            let blocks = (0..content.len().div_ceil(BLOCK)).collect();
            (number, Content { live: content.clone(), synced: content, blocks, ..Content::default() })
        });
        let inner = Inner { files: files.collect(), ..Inner::default() };
        Self { inner: Arc::new((Mutex::new(inner), Condvar::new())), file: 0 }
    }

    /// Opens the store on it.
    pub fn open_store(&self, options: Options) -> Result<(Arc<RedbStore>, Feed), StoreError> {
        RedbStore::open_with_backend(self.clone(), self.log(), options)
    }

    /// Its files for a log.
    pub fn log(&self) -> Box<dyn LogFiles> {
        Box::new(self.clone())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.0.lock().unwrap()
    }

    /// How many changes it has seen.
    pub fn changes(&self) -> u64 {
        self.inner().changes
    }

    /// Bytes that were read of it so far.
    pub fn bytes_read(&self) -> u64 {
        self.inner().read
    }

    /// The `n`-th change from now, and all after it, will fail.
    pub fn fail_after(&self, n: u64) {
        let mut inner = self.inner();
        inner.fails = Some((inner.changes + n, EIO));
    }

    /// One change will fail.
    pub fn fail_once(&self, fault: Fault) {
        self.inner().fault = Some(fault);
    }

    /// From this change on there is no space for anything new.
    pub fn fill_at(&self, change: u64) {
        self.inner().no_room = Some(change);
    }

    /// Whether there is no space.
    pub fn is_full(&self) -> bool {
        let inner = self.inner();
        inner.no_room.or(inner.fails.map(|(at, _)| at)).is_some_and(|at| inner.changes >= at)
    }

    /// Ends all faults.
    pub fn mend(&self) {
        let mut inner = self.inner();
        (inner.fails, inner.fault, inner.no_room) = (None, None, None);
    }

    /// From now on syncs take forever (`true`), or go through again.
    pub fn hold_syncs(&self, held: bool) {
        self.inner().held = held;
        self.inner.1.notify_all();
    }

    /// Whether a sync is under way.
    pub fn is_syncing(&self) -> bool {
        self.inner().syncing
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        self.inner().content(self.file).live.len() as u64
    }

    /// The file with this number.
    pub fn file(&self, number: u32) -> Self {
        Self { inner: self.inner.clone(), file: number }
    }

    /// Changes the bytes of the file, as if it had always been so.
    pub fn alter(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let mut inner = self.inner();
        let content = inner.content(self.file);
        change(&mut content.live);
        content.synced.clone_from(&content.live);
    }

    /// Removes the file.
    pub fn remove(&self) {
        self.inner().files.remove(&self.file);
    }

    /// A disk with the same content on which everything works: repaired, or with space made.
    pub fn mended(&self) -> Self {
        Self::holding(self.inner().files.iter().map(|(number, file)| (*number, file.live.clone())))
    }

    /// The power fails. The disk as the next start finds it; this one refuses everything from now on.
    pub fn lose_power(&self, random: &mut Random) -> Self {
        let mut inner = self.inner();
        inner.fails = Some((0, EIO));
        Self::holding(
            inner.files.iter().map(|(number, file)| (*number, file.left(random))).collect::<Vec<_>>().into_iter(),
        )
    }
}

fn put(content: &mut Vec<u8>, at: usize, data: &[u8]) {
    let end = at + data.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(data);
}

impl Content {
    /// What was synced, and a random part of what was not.
    fn left(&self, random: &mut Random) -> Vec<u8> {
        let mut left = self.synced.clone();
        for change in &self.unsynced {
            match (random.below(3), change) {
                (0, _) => {}
                (1, Change::Write(at, data)) => {
                    for (i, sector) in data.chunks(SECTOR).enumerate() {
                        if random.below(2) == 0 {
                            put(&mut left, at + i * SECTOR, sector);
                        }
                    }
                }
                (_, Change::Write(at, data)) => put(&mut left, *at, data),
                (_, Change::Length(len)) => left.resize(*len, 0),
            }
        }
        left
    }
}

impl Inner {
    fn content(&mut self, file: u32) -> &mut Content {
        self.files.entry(file).or_default()
    }

    /// The change that was counted last fails, if it is that one's turn.
    fn fault(&mut self, file: u32) -> Option<Fault> {
        let now = self.changes;
        self.fault.take_if(|fault| now > fault.at && fault.file.is_none_or(|only| only == file))
    }

    /// How many bytes of a write fit.
    fn room(&mut self, file: u32, at: usize, len: usize) -> usize {
        let full = self.no_room.is_some_and(|from| self.changes > from);
        let blocks = &mut self.content(file).blocks;
        for block in at / BLOCK..(at + len).div_ceil(BLOCK) {
            if full && !blocks.contains(&block) {
                return (block * BLOCK).saturating_sub(at);
            }
            blocks.insert(block);
        }
        len
    }

    /// Whether a change goes through.
    fn admit(&mut self) -> io::Result<()> {
        self.changes += 1;
        if let Some((_, error)) = self.fails.filter(|(at, _)| self.changes > *at) {
            return Err(io::Error::from_raw_os_error(error));
        }
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.size())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut inner = self.inner();
        inner.read += out.len() as u64;
        let at = offset as usize;
        let from = inner.content(self.file).live.get(at..at + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(from);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut inner = self.inner();
        inner.admit()?;
        if let Some(fault) = inner.fault(self.file) {
            return Err(io::Error::from_raw_os_error(fault.error));
        }
        let content = inner.content(self.file);
        let kept = (len as usize).div_ceil(BLOCK);
        content.blocks.retain(|block| *block < kept);
        content.live.resize(len as usize, 0);
        content.unsynced.push(Change::Length(len as usize));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut inner = self.inner();
        inner.syncing = inner.held;
        let mut inner = self.inner.1.wait_while(inner, |inner| inner.held).unwrap();
        inner.syncing = false;
        inner.admit()?;
        let fault = inner.fault(self.file);
        let content = inner.content(self.file);
        if let Some(fault) = fault {
            if let Some(mut random) = fault.torn {
                content.synced = content.left(&mut random);
                content.live.clone_from(&content.synced);
                content.unsynced.clear();
            }
            return Err(io::Error::from_raw_os_error(fault.error));
        }
        for change in content.unsynced.drain(..) {
            match change {
                Change::Write(at, data) => put(&mut content.synced, at, &data),
                Change::Length(len) => content.synced.resize(len, 0),
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut inner = self.inner();
        inner.admit()?;
        let at = offset as usize;
        let (mut room, mut error) = (inner.room(self.file, at, data.len()), ENOSPC);
        if let Some(fault) = inner.fault(self.file) {
            room = fault.torn.map_or(0, |_| data.len() / 2);
            error = fault.error;
        }
        if room > 0 {
            let content = inner.content(self.file);
            put(&mut content.live, at, &data[..room]);
            content.unsynced.push(Change::Write(at, data[..room].to_vec()));
        }
        if room < data.len() { Err(io::Error::from_raw_os_error(error)) } else { Ok(()) }
    }
}

impl LogFiles for Disk {
    fn existing(&self) -> io::Result<Vec<u32>> {
        Ok(self.inner().files.keys().filter_map(|number| number.checked_sub(1)).collect())
    }

    fn open(&self, number: u32) -> io::Result<Box<dyn LogFile>> {
        let file = self.file(number + 1);
        file.inner().content(number + 1);
        Ok(Box::new(file))
    }
}

impl LogFile for Disk {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.size())
    }

    fn read(&self, limit: usize) -> io::Result<Vec<u8>> {
        self.sync_data()?;
        let mut out = vec![0; limit.min(self.size() as usize)];
        StorageBackend::read(self, 0, &mut out)?;
        Ok(out)
    }

    fn write(&self, at: u64, data: &[u8]) -> io::Result<()> {
        StorageBackend::write(self, at, data)?;
        self.sync_data()
    }

    fn extend(&self, bytes: u64) -> io::Result<()> {
        let at = self.size();
        if at < bytes {
            StorageBackend::write(self, at, &vec![0; (bytes - at) as usize])?;
        }
        self.sync_data()
    }
}

#[test]
fn only_what_was_synced_is_sure_to_survive() {
    let (disk, mut outcomes) = (Disk::new(), BTreeSet::new());
    disk.set_len(2048).unwrap();
    StorageBackend::write(&disk, 0, &[1; 2048]).unwrap();
    disk.sync_data().unwrap();
    StorageBackend::write(&disk, 0, &[2; 1024]).unwrap();
    disk.set_len(4096).unwrap();
    for seed in 0..200 {
        let mut found = [0; 2048];
        let left = disk.lose_power(&mut Random(seed));
        StorageBackend::read(&left, 0, &mut found).unwrap();
        assert_eq!(found[1024..], [1; 1024]);
        outcomes.insert((found[0], found[512], left.size()));
    }
    assert_eq!(outcomes.len(), 8, "both sectors and the length, each kept or lost: {outcomes:?}");
    assert!(StorageBackend::write(&disk, 0, &[3]).is_err());
}
