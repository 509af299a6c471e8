//! A database that several servers share, as a whole: the same answers as of a file (`whole_database.rs`).

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use serde_json::Value;
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard, mpsc},
};

use super::rules::StoredRules;
use super::whole_database::{Faults, WAITING, erase, refused, spawn, with_files, write_dump};
use crate::{
    blobs::Blobs,
    chat::{RequestError, facts_of, retention::Retention},
    files,
    http::admin::WholeDatabase,
    org::Org,
    proto::ErrorCode,
    store::redis::RedisStore,
};

/// A store that others keep, as a whole.
pub(super) struct SharedDatabase {
    store: Arc<RedisStore>,
    org: Arc<Org>,
    retention: Retention,
    blobs: Option<Arc<dyn Blobs>>,
    /// The data directory, for a temporary file.
    dir: PathBuf,
    /// Held while someone reads all of it.
    busy: Arc<Mutex<()>>,
}

impl SharedDatabase {
    pub fn new(
        store: Arc<RedisStore>,
        org: Arc<Org>,
        retention: Retention,
        blobs: Option<Arc<dyn Blobs>>,
        dir: &Path,
    ) -> Arc<Self> {
        Arc::new(Self { store, org, retention, blobs, dir: dir.to_owned(), busy: Arc::default() })
    }

    fn turn(&self) -> Result<OwnedMutexGuard<()>, RequestError> {
        self.busy.clone().try_lock_owned().map_err(|_| {
            let text = "another backup or check of this database is running on this server; wait for its end";
            RequestError::new(ErrorCode::RateLimited, text)
        })
    }
}

/// A file of the data directory that has no name and is gone when it is closed.
pub(super) fn temporary(dir: &Path) -> io::Result<File> {
    let path = files::part(&dir.join("rows"))?;
    files::create_new(&path, 0o600)?;
    let file = File::options().read(true).write(true).open(&path);
    fs::remove_file(&path)?;
    file
}

impl WholeDatabase for SharedDatabase {
    fn dump(&self) -> BoxFuture<'static, Result<mpsc::Receiver<Bytes>, RequestError>> {
        let (store, busy, waiting) = (self.store.clone(), self.turn(), temporary(&self.dir));
        async move {
            let busy = busy?;
            let waiting = waiting.map_err(|e| {
                RequestError::new(
                    ErrorCode::Storage,
                    format!("cannot make a temporary file in the data directory: {e}"),
                )
            })?;
            let mut export = store.export(&facts_of, waiting).await.map_err(|e| refused(&e))?;
            let (pieces, received) = mpsc::channel(WAITING);
            let (runtime, schema) = (Handle::current(), export.schema());
            // what is sent is waited for, which no thread of the runtime may do
            spawn("kefu-dump", move || {
                write_dump(schema, pieces, |receive| {
                    while let Some(entries) = runtime.block_on(export.next())? {
                        entries.iter().try_for_each(|exported| receive(exported.entry()))?;
                    }
                    Ok(())
                });
                drop(busy);
            })?;
            Ok(received)
        }
        .boxed()
    }

    fn verify(&self) -> BoxFuture<'static, Result<Value, RequestError>> {
        let (store, busy, blobs) = (self.store.clone(), self.turn(), self.blobs.clone());
        async move {
            let _busy = busy?;
            let mut faults = Faults::default();
            let totals = store.verify(&facts_of, &StoredRules, &mut |fault| faults.add(fault)).await;
            let report = faults.report(&totals.map_err(|e| refused(&e))?);
            Ok(with_files(report, &*store, blobs.as_deref()).await)
        }
        .boxed()
    }

    fn checkpoint(&self) -> BoxFuture<'static, Result<(), RequestError>> {
        async { Ok(()) }.boxed()
    }

    fn retention(&self, dry_run: bool) -> BoxFuture<'static, Result<Value, RequestError>> {
        erase(self.store.clone(), self.blobs.clone(), self.retention.clone(), self.org.now_ms(), dry_run)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _, Write as _};

    use super::*;

    #[test]
    fn a_temporary_file_has_no_name() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = temporary(dir.path()).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        file.write_all(b"a row").unwrap();
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "a row");
    }
}
