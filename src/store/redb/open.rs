//! Opening the database: making, upgrading, and saying clearly why not.

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use ::redb::{Builder, Database, DatabaseError, StorageBackend};

use super::{
    Options,
    migrate::{self, Need, Schema},
    tables::fault,
};
use crate::store::StoreError;

/// The database in the file at `path`, up to date.
pub(super) fn file(path: &Path, options: &Options, schema: &Schema) -> Result<Database, StoreError> {
    let named = |e: io::Error| StoreError::Io(format!("{}: {e}", path.display()));
    if !path.try_exists().map_err(named)? {
        make(path, options, schema)?;
    }
    let mut db = database(path, options)?;
    let need = schema.need(&db)?;
    if let Need::Upgrade(version) = need {
        // closed, the file is complete; the lock is taken again by the second open
        drop(db);
        migrate::snapshot(path, version).map_err(named)?;
        db = database(path, options)?;
    }
    schema.bring_up(&db, need)?;
    Ok(db)
}

/// Makes a new database under another name and moves it to `path` when it is complete, so that a loss of power never
/// leaves half a file there. If somebody else made one meanwhile, that one stays.
fn make(path: &Path, options: &Options, schema: &Schema) -> Result<(), StoreError> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let named = |e: io::Error| StoreError::Io(format!("{}: {e}", path.display()));
    let suffix = format!(".new-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let part = migrate::beside(path, &suffix);
    // left over from a process that had our number
    match fs::remove_file(&part) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(named(e)),
        _ => {}
    }
    create_private(&part).map_err(named)?;
    let made = (|| {
        let db = database(&part, options)?;
        schema.bring_up(&db, Need::Tables)?;
        drop(db);
        match fs::hard_link(&part, path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            // a file system without links
            Err(_) => fs::rename(&part, path).map_err(named),
            Ok(()) => Ok(()),
        }
    })();
    // after a rename it is gone; a leftover harms nobody
    drop(fs::remove_file(&part));
    made?;
    migrate::sync_directory(path).map_err(named)
}

/// Opens the database at `path`; errors name it.
fn database(path: &Path, options: &Options) -> Result<Database, StoreError> {
    guarded(|| builder(options).create(path)).map_err(|e| match e {
        StoreError::Io(e) => StoreError::Io(format!("{}: {e}", path.display())),
        StoreError::Corrupt(e) => StoreError::Corrupt(format!("{}: {e}", path.display())),
        e => e,
    })
}

/// The database on a backend, up to date; there is no copy before an upgrade.
pub(super) fn backend(
    backend: impl StorageBackend,
    options: &Options,
    schema: &Schema,
) -> Result<Database, StoreError> {
    let db = guarded(|| builder(options).create_with_backend(backend))?;
    let need = schema.need(&db)?;
    schema.bring_up(&db, need)?;
    Ok(db)
}

fn builder(options: &Options) -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(options.cache_bytes);
    builder
}

/// Runs an open; redb may panic on a file that something else has damaged.
fn guarded(open: impl FnOnce() -> Result<Database, DatabaseError>) -> Result<Database, StoreError> {
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(opened) => opened.map_err(fault),
        Err(_) => Err(StoreError::Corrupt("its structure makes no sense; restore a backup".into())),
    }
}

/// Makes an empty file that only its owner may read.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
