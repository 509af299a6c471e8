//! The database that is open now. After an error of the disk it is closed and opened again (`heal.rs`); those who read
//! meanwhile wait for that, but not forever.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ::redb::{Database, ReadTransaction, ReadableDatabase};
use parking_lot::{Condvar, Mutex, RwLock};

use super::{signals::Signals, tables::map_db_error};
use crate::StoreError;

/// How long a read waits for a database that is being opened for the first time after an error. That takes milliseconds;
/// when it failed once, nobody waits for it any more.
const PATIENCE: Duration = Duration::from_secs(2);

/// The open database, replaced after disk errors.
#[derive(Debug)]
pub(super) struct Current {
    state: RwLock<State>,
    /// Locked around every notification of a change, so that no waiter misses one.
    gate: Mutex<()>,
    changed: Condvar,
    /// To report that the open database does not work.
    signals: Arc<Signals>,
}

#[derive(Debug)]
enum State {
    Open(Opened),
    /// Being opened again; whether that failed already.
    Reopening {
        in_vain: bool,
    },
    Closed,
}

#[derive(Debug)]
struct Opened {
    db: Arc<Database>,
    /// How many were open before it.
    number: u64,
}

/// One moment of the database.
pub(super) struct Snapshot {
    pub txn: ReadTransaction,
    /// Of which opening it is.
    pub number: u64,
}

impl Current {
    /// The first opening.
    pub fn new(db: Database, signals: Arc<Signals>) -> Self {
        let state = State::Open(Opened { db: Arc::new(db), number: 0 });
        Self { state: RwLock::new(state), gate: Mutex::default(), changed: Condvar::new(), signals }
    }

    /// A snapshot of the database that is open, or will be in a moment; of a later opening than `failed`, of which a read
    /// failed.
    pub fn snapshot(&self, mut failed: Option<u64>) -> Result<Snapshot, StoreError> {
        if failed.is_some() {
            self.signals.suspect();
        }
        let until = Instant::now() + PATIENCE;
        let mut gate = None;
        loop {
            match &*self.state.read() {
                State::Open(open) if failed.is_none_or(|n| open.number > n) => {
                    match open.db.begin_read().map_err(map_db_error) {
                        Ok(txn) => return Ok(Snapshot { txn, number: open.number }),
                        Err(StoreError::Io(_)) => {
                            failed = Some(open.number);
                            self.signals.suspect();
                        }
                        Err(e) => return Err(e),
                    }
                }
                State::Closed => return Err(StoreError::Closed),
                State::Reopening { in_vain: true } => return Err(StoreError::Reopening),
                State::Reopening { .. } | State::Open(_) => {}
            }
            // the state is looked at again under the gate before anyone waits
            match &mut gate {
                None => gate = Some(self.gate.lock()),
                Some(held) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(StoreError::Reopening);
                    }
                    self.changed.wait_for(held, left);
                }
            }
        }
    }

    /// The database, if it is open.
    pub fn database(&self) -> Result<Arc<Database>, StoreError> {
        match &*self.state.read() {
            State::Open(open) => Ok(Arc::clone(&open.db)),
            State::Reopening { .. } => Err(StoreError::Reopening),
            State::Closed => Err(StoreError::Closed),
        }
    }

    /// Whether it was closed for good.
    pub fn is_closed(&self) -> bool {
        matches!(&*self.state.read(), State::Closed)
    }

    fn replace(&self, state: State) -> State {
        let old = {
            let mut now = self.state.write();
            std::mem::replace(&mut *now, state)
        };
        drop(self.gate.lock());
        self.changed.notify_all();
        old
    }

    /// Closes the database, for good.
    pub fn close(&self) {
        self.replace(State::Closed);
    }

    /// Closes the database, to open it again. The number of the opening that ended.
    pub fn suspend(&self) -> u64 {
        match self.replace(State::Reopening { in_vain: false }) {
            State::Open(open) => open.number,
            // only one thread suspends, and only what is open
            State::Reopening { .. } | State::Closed => 0,
        }
    }

    /// Opening it again failed; it is tried again later.
    pub fn in_vain(&self) {
        self.replace(State::Reopening { in_vain: true });
    }

    /// It is open again.
    pub fn resume(&self, db: Database, number: u64) {
        self.replace(State::Open(Opened { db: Arc::new(db), number }));
    }
}
