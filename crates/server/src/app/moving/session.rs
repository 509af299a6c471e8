//! A move as the process sees it that has the database file: the running server, or the command where none runs. It hands out
//! everything, then what changed since, stops all writes, and marks the file as left. Whoever asked for it must say every few seconds
//! that it goes on; else the stop ends and nothing has happened.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures_util::future::{BoxFuture, FutureExt as _};
use serde_json::{Value, json};
use tokio::{
    sync::{Mutex, MutexGuard, mpsc, watch},
    task::spawn_blocking,
    time::interval,
};

use super::first_entry;
use crate::{
    app::{
        storage::MOVED,
        whole_database::{WAITING, refused, spawn, write_dump},
    },
    chat::{RequestError, facts_of},
    crypto::{codec::b64u, sign::random},
    http::admin,
    proto::ErrorCode,
    store::{
        Batch, Op, StoreError, Table,
        redb::{RedbStore, Snapshot},
        redis::Standing,
    },
};

/// How long a move may be silent.
const SILENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether it is.
const LOOK: Duration = Duration::from_secs(1);

/// Something to do before nothing can be written.
pub(in crate::app) type BeforeHold = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// The database file, for one move at a time.
pub(in crate::app) struct FileMove {
    store: Arc<RedbStore>,
    standing: watch::Sender<Standing>,
    before_hold: BeforeHold,
    session: Mutex<Option<Session>>,
}

struct Session {
    token: String,
    heard: Instant,
    /// The file says that it was left.
    left: bool,
}

impl FileMove {
    /// `standing` is told where the company is.
    pub fn new(store: Arc<RedbStore>, standing: watch::Sender<Standing>, before_hold: BeforeHold) -> Arc<Self> {
        Arc::new(Self { store, standing, before_hold, session: Mutex::default() })
    }

    /// Ends moves that fell silent. Never ends by itself.
    pub async fn watch(self: Arc<Self>) {
        let mut look = interval(LOOK);
        loop {
            look.tick().await;
            let mut session = self.session.lock().await;
            if session.as_ref().is_some_and(|now| !now.left && now.heard.elapsed() >= SILENCE) {
                tracing::warn!("the command that moves the company fell silent: the company stays here");
                self.go_on(&mut session);
            }
        }
    }

    fn go_on(&self, session: &mut Option<Session>) {
        *session = None;
        self.store.forget_changes();
        self.store.release();
        self.standing.send_replace(Standing::Here);
    }

    /// The move that this token names, which has not fallen silent.
    async fn session(&self, token: &str) -> Result<MutexGuard<'_, Option<Session>>, RequestError> {
        let mut session = self.session.lock().await;
        match session.as_mut().filter(|now| now.token == token && now.heard.elapsed() < SILENCE) {
            Some(now) => now.heard = Instant::now(),
            None => {
                let text = "the server no longer waits for this move: it heard nothing of it for ten seconds, or was restarted";
                return Err(RequestError::new(ErrorCode::Conflict, text));
            }
        }
        Ok(session)
    }

    pub(super) async fn begin(&self) -> Result<Value, RequestError> {
        let mut session = self.session.lock().await;
        if session.as_ref().is_some_and(|now| now.left || now.heard.elapsed() < SILENCE) {
            let text = "this company is being moved by another command; wait for its end";
            return Err(RequestError::new(ErrorCode::Conflict, text));
        }
        self.go_on(&mut session);
        let store = self.store.clone();
        let first = spawn_blocking(move || {
            // before anything is read, so that nothing is missed
            store.watch_changes();
            first_entry(&store)
        });
        let first = first.await.unwrap_or(Err(StoreError::Closed)).map_err(|e| refused(&e))?;
        let token = b64u(&random::<16>());
        let answer = json!({ "session": token, "first": first.map(|first| HEXLOWER.encode(&first)) });
        *session = Some(Session { token, heard: Instant::now(), left: false });
        Ok(answer)
    }

    /// Everything, or what changed since this was asked last.
    pub(super) async fn rows(&self, token: &str, all: bool) -> Result<mpsc::Receiver<Bytes>, RequestError> {
        drop(self.session(token).await?);
        let convs = self.store.take_changes();
        let snapshot = self.store.snapshot().await.map_err(|e| refused(&e))?;
        let (pieces, received) = mpsc::channel(WAITING);
        spawn("kefu-move", move || send(&snapshot, (!all).then_some(&convs), pieces))?;
        Ok(received)
    }

    pub(super) async fn keep(&self, token: &str) -> Result<(), RequestError> {
        self.session(token).await.map(drop)
    }

    pub(super) async fn hold(&self, token: &str, to: &str) -> Result<(), RequestError> {
        let _session = self.session(token).await?;
        tracing::info!(to, "the company is being moved: nothing is written until that is done");
        self.standing.send_replace(Standing::Held(to.to_owned()));
        (self.before_hold)().await;
        let store = self.store.clone();
        let held = spawn_blocking(move || store.hold()).await;
        held.map_err(|_| refused(&StoreError::Closed))
    }

    pub(super) async fn leave(&self, token: &str, to: &str) -> Result<(), RequestError> {
        let mut session = self.session(token).await?;
        let mark = Op::Put { table: Table::Meta, key: MOVED.to_vec(), value: to.as_bytes().to_vec() };
        let batch = Batch { ops: vec![mark], ..Batch::default() };
        self.store.write_held(batch).await.map_err(|e| refused(&e))?;
        if let Some(now) = session.as_mut() {
            now.left = true;
        }
        self.standing.send_replace(Standing::Moved(to.to_owned()));
        Ok(())
    }

    pub(super) async fn end(&self, token: &str) -> Result<(), RequestError> {
        let mut session = self.session(token).await?;
        if session.as_ref().is_some_and(|now| !now.left) {
            self.go_on(&mut session);
        }
        Ok(())
    }
}

/// Sends everything, or these conversations and the tables of the company.
fn send(snapshot: &Snapshot, convs: Option<&BTreeSet<crate::proto::ConvId>>, pieces: mpsc::Sender<Bytes>) {
    write_dump(snapshot.schema(), pieces, |receive| match convs {
        Some(convs) => snapshot.dump_changes(convs, &facts_of, receive),
        None => snapshot.dump(receive),
    });
}

impl admin::Moving for FileMove {
    fn rows<'a>(&'a self, token: &'a str, all: bool) -> BoxFuture<'a, Result<mpsc::Receiver<Bytes>, RequestError>> {
        self.rows(token, all).boxed()
    }

    fn step<'a>(&'a self, step: &'a str, token: &'a str, to: &'a str) -> BoxFuture<'a, Result<Value, RequestError>> {
        async move {
            match step {
                "begin" => return self.begin().await,
                "keep" => self.keep(token).await?,
                "hold" => self.hold(token, to).await?,
                "leave" => self.leave(token, to).await?,
                "end" => self.end(token).await?,
                _ => return Err(RequestError::new(ErrorCode::NotFound, "a move has no such step")),
            }
            Ok(json!({}))
        }
        .boxed()
    }
}
