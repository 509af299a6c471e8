//! Opening the database and its log: making, upgrading, and saying clearly why not.

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use ::redb::{Builder, Database, DatabaseError, StorageBackend};

use super::{
    Options,
    layer::Layer,
    migrate::{self, Need, Schema},
    tables::{self, map_db_error},
    wal::{
        Limits, Partner, Wal,
        files::{Directory, LogFiles},
    },
};
use crate::StoreError;

/// Opens the database again.
pub(super) type Opener = Box<dyn Fn() -> Result<Database, StoreError> + Send>;

/// An open log, what it holds that the database lacks, and what the database says of it.
pub(super) type Log = (Wal, Layer, Partner);

/// Opens the log of a database.
pub(super) fn log(files: Box<dyn LogFiles>, db: &Database, options: &Options) -> Result<Log, StoreError> {
    let partner = tables::partner(db)?;
    let limits = Limits { segment: options.segment_bytes, files: options.segments.max(2) };
    let mut layer = Layer::default();
    let mut wal = Wal::open(files, &partner, limits, |group, payload| layer.replay(group, payload))?;
    if partner.complete {
        // from now on it is not without its log, which must be there before it says so
        wal.begin()?;
        let mut txn = db.begin_write().map_err(map_db_error)?;
        txn.set_quick_repair(true);
        tables::note_settled(&txn, partner.settled, false)?;
        txn.commit().map_err(map_db_error)?;
    }
    Ok((wal, layer, partner))
}

/// The log beside the database at `path`.
pub(super) fn log_directory(path: &Path) -> Result<Box<dyn LogFiles>, StoreError> {
    let path = migrate::beside(path, LOG);
    match Directory::open(&path) {
        Ok(directory) => Ok(Box::new(directory)),
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Err(StoreError::InUse),
        Err(e) => Err(StoreError::Io(format!("{}: {e}", path.display()))),
    }
}

/// What is added to the name of the database for that of its log.
pub(super) const LOG: &str = ".wal";

/// The database in the file at `path`, up to date.
pub(super) fn file(path: &Path, options: &Options, schema: &Schema) -> Result<Database, StoreError> {
    let named = |e: io::Error| StoreError::Io(format!("{}: {e}", path.display()));
    // the engine itself would follow it, also to a place where there is no file yet
    if kefu_files::is_link(path) {
        return Err(named(io::Error::other(
            "it is a link, and kefu does not follow links here; name its target in storage.url",
        )));
    }
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
/// leaves half a file there. If another process created one meanwhile, that one stays.
fn make(path: &Path, options: &Options, schema: &Schema) -> Result<(), StoreError> {
    let named = |e: io::Error| StoreError::Io(format!("{}: {e}", path.display()));
    kefu_files::sweep(path);
    let part = kefu_files::part(path).map_err(named)?;
    kefu_files::create_new(&part, 0o600).map_err(named)?;
    let made = (|| {
        let db = database(&part, options)?;
        schema.bring_up(&db, Need::Tables)?;
        drop(db);
        match put_in_place(&part, path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            put => put.map_err(named),
        }
    })();
    // in its place it has this name no longer; a leftover does no harm
    drop(fs::remove_file(&part));
    made
}

/// Moves a complete file to its name, durably, if nothing has that ([`io::ErrorKind::AlreadyExists`]).
pub(super) fn put_in_place(part: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(part, path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Err(e),
        // a file system without links
        Err(_) => fs::rename(part, path)?,
        Ok(()) => fs::remove_file(part)?,
    }
    kefu_files::sync_parent(path)
}

/// Reopens the database at `path` after a disk error. Never creates one.
///
/// When a sync fails, Linux forgets that what it could not write is not on disk, and keeps showing it. So what it shows is
/// brought to the disk or forgotten first; what is read then is what the disk has.
pub(super) fn again(path: &Path, options: &Options, schema: &Schema) -> Result<Database, StoreError> {
    let named = |e: io::Error| StoreError::Io(format!("{}: {e}", path.display()));
    let file = fs::OpenOptions::new().read(true).write(true).open(path).map_err(named)?;
    file.sync_all().map_err(named)?;
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).map_err(|e| named(e.into()))?;
    drop(file);
    let db = guarded(|| builder(options).open(path)).map_err(|e| about(path, e))?;
    match schema.need(&db)? {
        Need::Nothing => Ok(db),
        Need::Tables | Need::Upgrade(_) => {
            Err(StoreError::Corrupt(format!("{} is another file than the one that was open", path.display())))
        }
    }
}

/// Opens the database at `path`; errors name it.
pub(super) fn database(path: &Path, options: &Options) -> Result<Database, StoreError> {
    guarded(|| builder(options).create(path)).map_err(|e| about(path, e))
}

pub(super) fn about(path: &Path, e: StoreError) -> StoreError {
    match e {
        StoreError::Io(e) => StoreError::Io(format!("{}: {e}", path.display())),
        StoreError::Corrupt(e) => StoreError::Corrupt(format!("{}: {e}", path.display())),
        e => e,
    }
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
        Ok(opened) => opened.map_err(map_db_error),
        Err(_) => Err(StoreError::Corrupt("its structure makes no sense; restore a backup".into())),
    }
}
