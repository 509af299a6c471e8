//! After an error of the disk: redb refuses everything from then on, so the database is closed and opened again, in this
//! process and for as long as it takes.
//!
//! The file then shows what became of the group that was being written: its journal ends with that group, or with the one
//! before. So nothing is published that is not on disk, and no stored message is reported as failed. Everything in memory
//! is read again from the file.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ::redb::Database;

use super::{
    conv_cache::ConvCache,
    journal::{Journal, Size},
    mover::Mover,
    writer::{File, Named, Pending, Writer, refuse},
};
use crate::{Outcome, Reply, StoreError};

/// The first pause between two tries to open; doubled with each, up to the longest.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(10);
/// Two openings are so far apart at least: a part of the disk that can't be read must not keep the writer busy with it.
const APART: Duration = Duration::from_millis(250);

impl Writer {
    /// Opens the database again and reports what became of the group. False: the writer must end.
    pub(super) fn heal(&mut self, mut pending: Pending) -> bool {
        tracing::error!(error = %pending.error, "storage: the disk failed; reopening the database");
        // a failed read does not show whether writes work
        let wrote = !pending.names.is_empty();
        if wrote {
            self.shared.space.failed(&pending.error.to_string());
            self.shared.space.give_up_ballast();
        }
        let opening = self.shared.current.suspend() + 1;
        self.file.db = None;
        let again = self.opened.replace(Instant::now()).is_some_and(|at| at.elapsed() < APART);
        if again && self.queue.closed_within(APART) {
            return give_up(pending);
        }
        let Some((db, journal, size)) = self.open_again(&mut pending) else { return false };
        let known = self.file.last_group;
        let kept = size.last == pending.number;
        if !kept && size.last != known {
            let what = "the file is not the one that was open; restore a backup";
            self.end(StoreError::Corrupt(what.into()), pending.replies);
            return false;
        }
        let (db, journal) = (Arc::new(db), Arc::new(journal));
        self.file = File {
            db: Some(db.clone()),
            journal: journal.clone(),
            cache: ConvCache::new(),
            mover: Mover::new(self.journal, size),
            last_group: size.last,
            bare: size.bare,
        };
        self.shared.current.resume(db, journal, opening);
        tracing::info!(kept, "storage: the database is open again");
        match pending.verdicts.filter(|_| kept) {
            Some(verdicts) => self.committed(verdicts, pending.replies, pending.commit),
            None => self.refuse_pending(pending.replies, pending.names),
        }
        if wrote {
            self.shared.space.healed();
        }
        true
    }

    /// Tries until it is open. None: the writer must end, and all waiters were answered.
    fn open_again(&mut self, pending: &mut Pending) -> Option<(Database, Journal, Size)> {
        let mut pause = PAUSE;
        loop {
            let opened = (self.opener)().and_then(|db| Journal::open(&db).map(|(journal, size)| (db, journal, size)));
            let error = match opened {
                Ok(opened) => return Some(opened),
                Err(e @ (StoreError::Io(_) | StoreError::InUse)) => e,
                Err(e) => {
                    self.end(e, std::mem::take(&mut pending.replies));
                    return None;
                }
            };
            if pause == PAUSE {
                tracing::error!(%error, "storage: the database cannot be opened yet; trying again");
                self.shared.space.give_up_ballast();
            }
            self.shared.current.in_vain();
            refuse(self.queue.drain(), &self.feed, &StoreError::Unwritable);
            // the fate of their batches is unknown, perhaps for long; the feed reports it in any case
            answer_all(&mut pending.replies, &pending.error);
            if self.queue.closed_within(pause) {
                answer_all(&mut pending.replies, &pending.error);
                return None;
            }
            pause = (pause * 2).min(LONGEST);
        }
    }

    /// The file does not hold them.
    fn refuse_pending(&self, replies: Vec<Reply>, names: Vec<Named>) {
        let mut outcomes = Vec::new();
        for (reply, (conv, id)) in replies.into_iter().zip(names) {
            match reply {
                Reply::Wait(tx) => drop(tx.send(Err(StoreError::Unwritable))),
                Reply::Feed(origin) => {
                    outcomes.push(Outcome::Refused { origin, conv, id, error: StoreError::Unwritable });
                }
            }
        }
        if !outcomes.is_empty() {
            drop(self.feed.send(outcomes));
        }
    }
}

/// The store is closed before its file could be opened again.
fn give_up(mut pending: Pending) -> bool {
    answer_all(&mut pending.replies, &pending.error);
    false
}

/// Answers waiting callers and replaces them by a connection that never exists.
fn answer_all(replies: &mut [Reply], error: &StoreError) {
    for reply in replies.iter_mut().filter(|reply| matches!(reply, Reply::Wait(_))) {
        if let Reply::Wait(tx) = std::mem::replace(reply, Reply::Feed(0)) {
            drop(tx.send(Err(error.clone())));
        }
    }
}
