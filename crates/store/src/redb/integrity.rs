//! Whether the structure of a database file is whole, as the engine itself sees it. The file is only read: what the engine
//! writes when it opens or repairs a file is kept in memory.

use std::{
    collections::BTreeMap,
    fs::{File, TryLockError},
    io,
    os::unix::fs::FileExt as _,
    path::Path,
};

use ::redb::{Database, StorageBackend};
use parking_lot::Mutex;

use super::{Options, dump::guarded, open::about, tables::map_db_error};
use crate::StoreError;

/// Bytes of a piece that is kept in memory.
const PIECE: u64 = 4096;
/// Maximum number of such pieces: the engine writes little unless the file is damaged.
const MAX_PIECES: usize = 64 * 1024;

/// Checks the structure of a closed database. Reads all of it. False: it has faults that the engine could repair.
///
/// # Errors
/// [`StoreError::InUse`]; [`StoreError::Corrupt`] if it could not be repaired; the disk.
pub fn check_integrity(path: &Path) -> Result<bool, StoreError> {
    let named = |e: io::Error| StoreError::Io(format!("{}: {e}", path.display()));
    let file = File::open(path).map_err(named)?;
    // the engine takes the same lock
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(StoreError::InUse),
        Err(TryLockError::Error(e)) => return Err(named(e)),
    }
    let kept = Kept { bytes: file.metadata().map_err(named)?.len(), pieces: BTreeMap::new() };
    let view = View { file, kept: Mutex::new(kept) };
    guarded(|| {
        let mut builder = Database::builder();
        builder.set_cache_size(Options::default().cache_bytes);
        let mut db = builder.create_with_backend(view).map_err(map_db_error)?;
        db.check_integrity().map_err(map_db_error)
    })
    .map_err(|e| about(path, e))
}

/// A file that looks as if it was written to.
#[derive(Debug)]
struct View {
    file: File,
    kept: Mutex<Kept>,
}

/// What was written, and how long the file would be.
#[derive(Debug)]
struct Kept {
    bytes: u64,
    /// By number.
    pieces: BTreeMap<u64, Vec<u8>>,
}

impl View {
    /// A piece of the file itself; zeros after its end.
    fn original(&self, number: u64) -> io::Result<Vec<u8>> {
        let mut piece = vec![0; PIECE as usize];
        let mut filled = 0;
        while filled < piece.len() {
            match self.file.read_at(&mut piece[filled..], number * PIECE + filled as u64) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(piece)
    }
}

/// The parts of pieces that `length` bytes at `at` cover: number of the piece, range in it.
fn parts(at: u64, length: usize) -> impl Iterator<Item = (u64, std::ops::Range<usize>)> {
    let end = at + length as u64;
    (at / PIECE..end.div_ceil(PIECE)).map(move |number| {
        let start = number * PIECE;
        (number, (at.max(start) - start) as usize..(end.min(start + PIECE) - start) as usize)
    })
}

impl StorageBackend for View {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.kept.lock().bytes)
    }

    fn read(&self, at: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let kept = self.kept.lock();
        if at.checked_add(out.len() as u64).is_none_or(|end| end > kept.bytes) {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        let mut done = 0;
        for (number, range) in parts(at, out.len()) {
            let to = &mut out[done..done + range.len()];
            done += range.len();
            match kept.pieces.get(&number) {
                Some(piece) => to.copy_from_slice(&piece[range]),
                None => to.copy_from_slice(&self.original(number)?[range]),
            }
        }
        Ok(())
    }

    fn set_len(&self, bytes: u64) -> Result<(), io::Error> {
        self.kept.lock().bytes = bytes;
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        Ok(())
    }

    fn write(&self, at: u64, data: &[u8]) -> Result<(), io::Error> {
        let mut kept = self.kept.lock();
        let mut done = 0;
        for (number, range) in parts(at, data.len()) {
            let from = &data[done..done + range.len()];
            done += range.len();
            if kept.pieces.len() >= MAX_PIECES {
                return Err(io::Error::other("the check would need too much memory"));
            }
            match kept.pieces.entry(number) {
                std::collections::btree_map::Entry::Occupied(mut piece) => piece.get_mut()[range].copy_from_slice(from),
                std::collections::btree_map::Entry::Vacant(free) => {
                    free.insert(self.original(number)?)[range].copy_from_slice(from);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ::redb::TableDefinition;

    use super::*;

    const TABLE: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("t");

    #[test]
    fn a_flipped_bit_is_found_and_the_file_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        let db = Database::create(&path).unwrap();
        let txn = db.begin_write().unwrap();
        for n in 0..2_000 {
            txn.open_table(TABLE).unwrap().insert(n, &[0x5a; 100][..]).unwrap();
        }
        txn.commit().unwrap();
        assert_eq!(check_integrity(&path), Err(StoreError::InUse));
        drop(db);
        let good = std::fs::read(&path).unwrap();
        assert_eq!(check_integrity(&path), Ok(true));
        assert_eq!(std::fs::read(&path).unwrap(), good);
        let at = good.windows(100).position(|w| w == [0x5a; 100]).unwrap();
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&path, &bad).unwrap();
        assert!(!matches!(check_integrity(&path), Ok(true)));
        assert_eq!(std::fs::read(&path).unwrap(), bad);
    }

    #[test]
    fn parts_cover_what_was_asked_for() {
        assert_eq!(parts(0, 0).count(), 0);
        let all = |at, length| parts(at, length).collect::<Vec<_>>();
        assert_eq!(all(4_090, 10), [(0, 4_090..4_096), (1, 0..4)]);
        assert_eq!(all(8_192, 4_096), [(2, 0..4_096)]);
    }
}
