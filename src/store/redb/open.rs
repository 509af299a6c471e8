//! Opening the database: making, upgrading, and saying clearly why not.

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
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
    create_private(path).map_err(named)?;
    let open = || {
        guarded(|| builder(options).create(path)).map_err(|e| match e {
            StoreError::Io(e) => StoreError::Io(format!("{}: {e}", path.display())),
            StoreError::Corrupt(e) => StoreError::Corrupt(format!("{}: {e}", path.display())),
            e => e,
        })
    };
    let mut db = open()?;
    let need = schema.need(&db)?;
    if let Need::Upgrade(version) = need {
        // closed, the file is complete; the lock is taken again by the second open
        drop(db);
        migrate::snapshot(path, version).map_err(named)?;
        db = open()?;
    }
    schema.bring_up(&db, need)?;
    Ok(db)
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

/// Makes an empty file that only its owner may read, if there is none.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => migrate::sync_directory(path),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e),
    }
}
