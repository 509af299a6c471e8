//! The database file of a move: opened without a server, put in its place, removed with all that belongs to it.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;

use super::{Move, MoveError};
use crate::{
    app::storage::database_path,
    store::{
        StoreError, Table,
        redb::{Options, RedbStore},
    },
};

/// Opens it. Whether it was moved away is not looked at.
pub(super) fn open_file(path: &Path) -> Result<Arc<RedbStore>, MoveError> {
    let opened = RedbStore::open(path, Options::default());
    Ok(opened.map(|(store, _)| store).with_context(|| format!("cannot open the database {}", path.display()))?)
}

/// The first entry of the directory.
pub(super) fn first_entry(store: &RedbStore) -> Result<Option<Vec<u8>>, StoreError> {
    let mut first = store.scan(Table::Directory, &[], None, false, 1)?;
    Ok(first.pop().map(|(_, entry)| entry))
}

/// A path whose name has this at its end.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Removes a database with all that belongs to it.
pub(super) fn remove(path: &Path) -> Result<(), MoveError> {
    remove_beside(path)?;
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => {
            Err(e).with_context(|| format!("cannot remove {}", path.display()))?
        }
        _ => Ok(()),
    }
}

/// Removes what belongs to a database: its log, and space kept for it.
pub(super) fn remove_beside(path: &Path) -> Result<(), MoveError> {
    let (log, ballast) = (beside(path, ".wal"), beside(path, ".ballast"));
    for gone in [fs::remove_dir_all(&log), fs::remove_file(&ballast)] {
        match gone {
            Err(e) if e.kind() != ErrorKind::NotFound => {
                Err(e).with_context(|| format!("cannot remove what belongs to {}", path.display()))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// From now on the target is served.
pub(super) async fn arrive(company: &Move<'_>) -> Result<(), MoveError> {
    if company.target.storage.is_shared() {
        return Ok(Move::raw(company.target).await?.1.mark_arrived().await?);
    }
    let (path, incoming) = (database_path(company.dir, company.target), company.incoming());
    if incoming.exists() {
        // closed, it is complete without its log
        remove_beside(&incoming)?;
        remove_beside(&path)?;
        let placed = fs::rename(&incoming, &path).and_then(|()| crate::files::sync_parent(&path));
        placed.with_context(|| format!("cannot move {} to {}", incoming.display(), path.display()))?;
    }
    Ok(())
}
