//! What the command line asks of a whole database, beside the use of it by a server: a dump for a backup, a check, a
//! checkpoint, erasing what is no longer kept. Dump and check
//! read one moment of it for as long as they take, in a thread of their own, one at a time.

use std::{
    io::{self, ErrorKind},
    mem,
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use serde_json::{Value, json};
use tokio::{
    sync::{Mutex, OwnedMutexGuard, mpsc, oneshot},
    time::timeout,
};

use super::{rules::StoredRules, shared_database::SharedDatabase, storage::Backend};
use crate::{
    blobs::Blobs,
    chat::{
        FileTotals, RequestError, StrangeFile,
        retention::{self, Retention},
        verify_files,
    },
    clock::now_ms,
    http::admin::WholeDatabase,
    org::Org,
    proto::ErrorCode,
    store::{
        Store, StoreError,
        archive::{Entry, Header, Writer},
        redb::{DumpError, Fault, RedbStore, Snapshot, Totals},
    },
};

/// Bytes of a piece of a dump.
const PIECE: usize = 64 * 1024;
/// Pieces that wait for the one who receives them.
pub(super) const WAITING: usize = 4;
/// How long a dump waits until the database contains what is in the log.
const CHECKPOINT: Duration = Duration::from_mins(2);
/// Maximum number of faults in an answer.
const MAX_FAULTS: usize = 1_000;

/// A store, as a whole.
pub(super) struct StoredDatabase {
    store: Arc<RedbStore>,
    org: Arc<Org>,
    retention: Retention,
    blobs: Option<Arc<dyn Blobs>>,
    /// Held while someone reads all of it.
    busy: Arc<Mutex<()>>,
}

impl StoredDatabase {
    pub fn new(store: Arc<RedbStore>, org: Arc<Org>, retention: Retention, blobs: Option<Arc<dyn Blobs>>) -> Arc<Self> {
        Arc::new(Self { store, org, retention, blobs, busy: Arc::default() })
    }
}

impl WholeDatabase for StoredDatabase {
    fn dump(&self) -> BoxFuture<'static, Result<mpsc::Receiver<Bytes>, RequestError>> {
        let (store, busy) = (Arc::clone(&self.store), Arc::clone(&self.busy));
        async move {
            let (snapshot, busy) = snapshot(&store, busy).await?;
            let (pieces, received) = mpsc::channel(WAITING);
            spawn("kefu-dump", move || {
                write_dump(snapshot.schema(), pieces, |receive| snapshot.dump(receive));
                drop(busy);
            })?;
            Ok(received)
        }
        .boxed()
    }

    fn verify(&self) -> BoxFuture<'static, Result<Value, RequestError>> {
        let (store, busy, blobs) = (Arc::clone(&self.store), Arc::clone(&self.busy), self.blobs.clone());
        async move {
            let (snapshot, busy) = snapshot(&store, busy).await?;
            let (done, report) = oneshot::channel();
            spawn("kefu-verify", move || {
                // the one who asked may be gone
                let _ = done.send(verify(&snapshot));
                drop(busy);
            })?;
            let report = report.await.unwrap_or(Err(StoreError::Closed)).map_err(|e| refused(&e))?;
            Ok(with_files(report, &*store, blobs.as_deref()).await)
        }
        .boxed()
    }

    fn checkpoint(&self) -> BoxFuture<'static, Result<(), RequestError>> {
        let store = Arc::clone(&self.store);
        async move { store.checkpoint().await.map_err(|e| refused(&e)) }.boxed()
    }

    fn retention(&self, dry_run: bool) -> BoxFuture<'static, Result<Value, RequestError>> {
        erase(self.store.clone(), self.blobs.clone(), self.retention.clone(), self.org.now_ms(), dry_run)
    }
}

/// Erases what is due, or only says what is.
pub(super) fn erase(
    store: Arc<dyn Store>,
    blobs: Option<Arc<dyn Blobs>>,
    rule: Retention,
    now_ms: u64,
    dry_run: bool,
) -> BoxFuture<'static, Result<Value, RequestError>> {
    async move {
        let found = match dry_run {
            true => retention::due(&*store, &rule, now_ms).await,
            false => retention::erase_due(&*store, blobs.as_deref(), &rule, now_ms).await,
        };
        Ok(json!({ "dry_run": dry_run, "rule": rule, "sites": found.map_err(|e| refused(&e))? }))
    }
    .boxed()
}

/// The database of a backend.
pub(super) fn database_of(
    backend: &Backend,
    org: &Arc<Org>,
    retention: Retention,
    blobs: Option<Arc<dyn Blobs>>,
    dir: &Path,
) -> Arc<dyn WholeDatabase> {
    match backend {
        Backend::File(store) => StoredDatabase::new(store.clone(), org.clone(), retention, blobs),
        Backend::Shared(store, _) => SharedDatabase::new(store.clone(), org.clone(), retention, blobs, dir),
    }
}

async fn snapshot(store: &RedbStore, busy: Arc<Mutex<()>>) -> Result<(Snapshot, OwnedMutexGuard<()>), RequestError> {
    let busy = busy.try_lock_owned().map_err(|_| {
        RequestError::new(
            ErrorCode::RateLimited,
            "another backup or check of this database is running; wait for its end",
        )
    })?;
    match timeout(CHECKPOINT, store.snapshot()).await {
        Ok(Ok(snapshot)) => Ok((snapshot, busy)),
        Ok(Err(e)) => Err(refused(&e)),
        Err(_) => Err(RequestError::new(
            ErrorCode::Storage,
            "the disk did not take what is in the log within two minutes: is it full? See kefu stats",
        )),
    }
}

/// To the operator, who may know what the disk said.
pub(super) fn refused(e: &StoreError) -> RequestError {
    let text = match e {
        StoreError::Closed => "the database was closed or opened again meanwhile; try again".to_owned(),
        e => e.to_string(),
    };
    RequestError::new(ErrorCode::Storage, text)
}

pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), RequestError> {
    let spawned = thread::Builder::new().name(name.into()).spawn(work);
    spawned.map(drop).map_err(|e| RequestError::new(ErrorCode::Storage, format!("cannot start a thread: {e}")))
}

/// Sends a backup of all rows, without files; `read` passes them on. A reader that is gone ends it.
pub(super) fn write_dump(
    schema: u32,
    pieces: mpsc::Sender<Bytes>,
    read: impl FnOnce(&mut dyn FnMut(Entry<'_>) -> io::Result<()>) -> Result<(), DumpError>,
) {
    let header = Header { schema, created_ms: now_ms(), kefu: env!("CARGO_PKG_VERSION").to_owned() };
    let sent = (|| {
        let mut writer = Writer::new(Pieces { pieces, filled: Vec::with_capacity(PIECE) }, &header)?;
        let dumped = read(&mut |entry| match entry {
            Entry::Table(name) => writer.table(name),
            Entry::Row(key, value) => writer.row(key, value),
            // a database has no files
            Entry::File(_) | Entry::Data(_) => Ok(()),
        });
        match dumped {
            Ok(()) => writer.finish().map(drop),
            Err(DumpError::Receiver(e)) if e.kind() == ErrorKind::BrokenPipe => Err(e),
            Err(DumpError::Receiver(e)) => writer.fail(&e.to_string()),
            Err(DumpError::Store(e)) => writer.fail(&refused(&e).text),
        }
    })();
    if let Err(e) = sent {
        tracing::info!(reason = %e, "a backup was not completed");
    }
}

/// Collects bytes and sends them in pieces.
struct Pieces {
    pieces: mpsc::Sender<Bytes>,
    filled: Vec<u8>,
}

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PIECE - self.filled.len());
        self.filled.extend_from_slice(&bytes[..taken]);
        if self.filled.len() == PIECE {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = mem::replace(&mut self.filled, Vec::with_capacity(PIECE));
        let gone = |_| io::Error::new(ErrorKind::BrokenPipe, "the one who asked for it is gone");
        if piece.is_empty() { Ok(()) } else { self.pieces.blocking_send(piece.into()).map_err(gone) }
    }
}

fn verify(snapshot: &Snapshot) -> Result<Value, StoreError> {
    let mut faults = Faults::default();
    let totals = snapshot.verify(&StoredRules, &mut |fault| faults.add(fault))?;
    Ok(faults.report(&totals))
}

/// Adds to what was found in the database what was found of the files that people sent: `files` has `count`, `bytes`, `uploads`,
/// `unnamed` (how many no message names) and `list` (which); none where there is no place for files. What is wrong with them is
/// among the faults.
pub(super) async fn with_files(mut report: Value, store: &dyn Store, blobs: Option<&dyn Blobs>) -> Value {
    let Some(blobs) = blobs else { return report };
    let (mut faults, mut list, mut more) = (Vec::new(), Vec::new(), 0);
    let looked = verify_files(store, blobs, |StrangeFile { id, bytes, what, is_fault }| {
        let key = format!("{}/{}", id.conv, id.msg);
        match is_fault {
            true if faults.len() < MAX_FAULTS => faults.push(json!({ "table": "files", "key": key, "what": what })),
            true => more += 1,
            false if list.len() < MAX_FAULTS => list.push(json!({ "key": key, "bytes": bytes, "what": what })),
            false => {}
        }
    })
    .await;
    match looked {
        Ok(FileTotals { files, bytes, unnamed, uploads }) => {
            report["files"] =
                json!({ "count": files, "bytes": bytes, "uploads": uploads, "unnamed": unnamed, "list": list });
        }
        Err(e) => {
            let what = format!("the files that people sent can't be looked through: {e}");
            faults.push(json!({ "table": "files", "key": "", "what": what }));
        }
    }
    if let Some(all) = report["faults"].as_array_mut() {
        all.append(&mut faults);
    }
    report["more"] = json!(report["more"].as_u64().unwrap_or_default() + more);
    report
}

/// What is wrong, as far as an answer has room for it.
#[derive(Default)]
pub(super) struct Faults {
    listed: Vec<Value>,
    more: u64,
}

impl Faults {
    pub fn add(&mut self, Fault { table, key, what }: Fault) {
        if self.listed.len() < MAX_FAULTS {
            let key = data_encoding::HEXLOWER.encode(&key);
            self.listed.push(json!({ "table": table, "key": key, "what": what }));
        } else {
            self.more += 1;
        }
    }

    /// `{"conversations","records","bytes","ids","rows","faults":[{"table","key","what"}],"more"}`
    pub fn report(self, totals: &Totals) -> Value {
        json!({
            "conversations": totals.conversations, "records": totals.records, "bytes": totals.bytes, "ids": totals.ids,
            "rows": totals.rows, "faults": self.listed, "more": self.more,
        })
    }
}
