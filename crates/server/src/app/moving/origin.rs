//! Where a company is moved from: a database file, which this process has or a running server, or a Redis that any number of servers
//! use meanwhile.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use data_encoding::HEXLOWER;
use tokio::{task::JoinHandle, time::sleep};

use super::{
    MoveError, already_moving,
    holder::Holder,
    rows::{Rows, decoded},
};
use crate::{
    app::shared_database::temporary,
    chat::facts_of,
    crypto::sign::random,
    store::{
        Store as _,
        redis::{Mover, RawDatabase, RedisStore, Seen},
    },
};

/// How often it is said that a move goes on.
const KEEP: Duration = Duration::from_secs(1);

/// A company that is being moved.
pub(super) enum Origin {
    /// From a file.
    File(FileOrigin),
    /// From a Redis.
    Shared(Box<SharedOrigin>),
}

/// A company in a file.
pub(super) struct FileOrigin {
    holder: Holder,
    token: String,
    first: Option<Vec<u8>>,
    keeping: JoinHandle<()>,
}

/// A company in a Redis.
pub(super) struct SharedOrigin {
    pub store: Arc<RedisStore>,
    raw: Arc<RawDatabase>,
    mover: Mover,
    held: Arc<AtomicBool>,
    seen: Seen,
    keeping: JoinHandle<()>,
}

impl FileOrigin {
    /// Begins.
    pub async fn begin(holder: Holder) -> Result<Self, MoveError> {
        let begun = holder.step("begin", "", "").await?;
        let token = begun["session"].as_str().unwrap_or_default().to_owned();
        let first = begun["first"].as_str().and_then(|first| HEXLOWER.decode(first.as_bytes()).ok());
        let (keeper, session) = (holder.clone(), token.clone());
        let keeping = tokio::spawn(async move {
            loop {
                sleep(KEEP).await;
                // one that is not heard is noticed at the next step
                drop(keeper.step("keep", &session, "").await);
            }
        });
        Ok(Self { holder, token, first, keeping })
    }

    /// The first entry of its directory.
    pub fn first(&self) -> Option<&[u8]> {
        self.first.as_deref()
    }
}

impl SharedOrigin {
    /// Begins. `store` is for reading, `raw` for marks.
    pub async fn begin(store: Arc<RedisStore>, raw: RawDatabase, to: &str) -> Result<Self, MoveError> {
        let (raw, mover) = (Arc::new(raw), random());
        if !raw.claim_move(mover).await? {
            return Err(already_moving());
        }
        let held = Arc::new(AtomicBool::new(false));
        let (keeper, holds, to) = (raw.clone(), held.clone(), to.to_owned());
        let keeping = tokio::spawn(async move {
            loop {
                sleep(KEEP).await;
                // where that fails for long, the last step fails, too
                drop(keeper.claim_move(mover).await);
                if holds.load(Ordering::Acquire) {
                    drop(keeper.keep_holding(mover, &to).await);
                }
            }
        });
        Ok(Self { store, raw, mover, held, seen: Seen::default(), keeping })
    }
}

impl Origin {
    /// Everything; or, after that, what changed since this was called last. `dir`: for a temporary file.
    pub async fn rows(&mut self, dir: &Path, all: bool) -> Result<Rows<'_>, MoveError> {
        match self {
            Self::File(file) => Ok(Rows::File(decoded(file.holder.pieces(&file.token, all).await?))),
            Self::Shared(shared) => {
                let waiting = temporary(dir).context("cannot make a temporary file in the data directory")?;
                let (store, seen) = (&shared.store, &mut shared.seen);
                Ok(Rows::Shared(Box::new(match all {
                    true => store.export_seen(&facts_of, waiting, seen).await?,
                    false => store.export_changes(&facts_of, waiting, seen).await?,
                })))
            }
        }
    }

    /// Nothing is written from when this returns.
    pub async fn hold(&self, to: &str) -> Result<(), MoveError> {
        match self {
            Self::File(file) => file.holder.step("hold", &file.token, to).await.map(drop),
            Self::Shared(shared) => {
                let held = shared.raw.hold(shared.mover, to, shared.store.ack_replicas()).await;
                shared.held.store(held.is_ok(), Ordering::Release);
                Ok(held?)
            }
        }
    }

    /// The company is at `to` for good.
    pub async fn leave(&self, to: &str) -> Result<(), MoveError> {
        match self {
            Self::File(file) => file.holder.step("leave", &file.token, to).await.map(drop),
            Self::Shared(shared) => {
                shared.held.store(false, Ordering::Release);
                Ok(shared.raw.leave(shared.mover, to).await?)
            }
        }
    }

    /// Nothing more is done: if it was not left, servers go on as if nothing had been.
    pub async fn end(self) {
        match self {
            Self::File(file) => {
                file.keeping.abort();
                // a server that does not hear it goes on after some seconds
                drop(file.holder.step("end", &file.token, "").await);
                file.holder.close().await;
            }
            Self::Shared(shared) => {
                shared.held.store(false, Ordering::Release);
                shared.keeping.abort();
                drop(shared.raw.release(shared.mover).await);
                drop(shared.raw.end_move(shared.mover).await);
                shared.store.close().await;
            }
        }
    }
}
