//! After an error of the disk redb refuses everything, so the database is closed and opened again, in this process and for
//! as long as it takes. It then shows whether it contains the checkpoint that was being written.

use std::time::{Duration, Instant};

use super::{checkpoint::Checkpointer, tables, wal::Partner};
use crate::StoreError;
use kefu_proto::StorageState;

/// Two openings are so far apart at least: a part of the disk that can't be read must not keep the thread busy with it.
const APART: Duration = Duration::from_millis(250);

/// Pauses between tries, each twice the one before.
#[derive(Debug)]
pub(super) struct Pauses(Duration);

impl Pauses {
    const FIRST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(10);

    pub fn new() -> Self {
        Self(Self::FIRST)
    }

    /// Whether there was none yet.
    pub fn is_first(&self) -> bool {
        self.0 == Self::FIRST
    }

    /// The next one.
    pub fn next(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(Self::LONGEST);
        now
    }
}

impl Checkpointer {
    /// Opens the database again, after a failed write if `wrote` says why, else after a failed read. Returns the last group
    /// that it contains, which is the one before the checkpoint under way or `last`. None: the thread must end.
    pub(super) fn heal(&mut self, wrote: Option<&str>, last: u64) -> Option<u64> {
        tracing::error!(error = wrote.unwrap_or("a read failed"), "storage: the disk failed; reopening the database");
        // a failed read does not show whether writes work
        if let Some(why) = wrote {
            self.shared.space.failed(why);
            self.shared.space.give_up_ballast();
        }
        let number = self.shared.view.current.suspend() + 1;
        let again = self.opened.replace(Instant::now()).is_some_and(|at| at.elapsed() < APART);
        if again && self.shared.signals.ended_within(APART) {
            return None;
        }
        let mut pauses = Pauses::new();
        let (db, partner) = loop {
            let error = match (self.opener)().and_then(|db| tables::partner(&db).map(|partner| (db, partner))) {
                Ok(opened) => break opened,
                Err(e @ (StoreError::Io(_) | StoreError::InUse)) => e,
                Err(e) => {
                    self.fail(e);
                    return None;
                }
            };
            if pauses.is_first() {
                tracing::error!(%error, "storage: the database cannot be opened yet; trying again");
                self.shared.space.give_up_ballast();
            }
            self.shared.view.current.in_vain();
            if self.shared.signals.ended_within(pauses.next()) {
                return None;
            }
        };
        let Partner { store, settled, .. } = partner;
        if store != self.shared.store || (settled != self.settled && settled != last) {
            self.fail(StoreError::Corrupt("the file is not the one that was open; restore a backup".into()));
            return None;
        }
        self.shared.signals.trust();
        self.shared.view.current.resume(db, number);
        tracing::info!("storage: the database is open again");
        if wrote.is_some() {
            self.shared.space.healed();
            let mut pauses = Pauses::new();
            while settled != last && self.shared.space.look().state == StorageState::Full {
                if self.shared.signals.ended_within(pauses.next()) {
                    break;
                }
            }
        }
        Some(settled)
    }
}
