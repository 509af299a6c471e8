//! One conversation that is followed: what the feed has told of it, and what waits to be told.

use std::mem::take;

use bytes::Bytes;
use kefu_proto::{ConvId, Event as Said, RecordView};

use super::event::{Caller, Event, Own, Tail, hash};
use crate::{Commit, Head, Outcome, StoreError, Written, check};

/// A conversation as the feed has told it so far.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// Whether its beginning is known. Until then everything waits.
    pub begun: bool,
    pub generation: u64,
    pub last: u64,
    pub tail: Tail,
    pub rev: u32,
    pub row: [u8; 16],
    pub waiting: Vec<Event>,
    /// Somebody reads what is missing.
    pub filling: bool,
}

/// A conversation as it was read at one moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Snapshot {
    pub generation: u64,
    pub rev: u32,
    pub row: Bytes,
    pub last: u64,
    /// Frame of the last record.
    pub end: Option<Bytes>,
    /// Frames of some records in order, from the one that was asked for.
    pub records: Vec<Bytes>,
    /// For those who asked; none without a row.
    pub head: Option<Head>,
}

/// What must be done after something was fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Nothing,
    /// Read what is missing, unless it comes in a moment.
    Wait,
    /// Read it now.
    Read,
    /// Read it, unless the feed has come so far in a while: last record and revision.
    Reach(u64, u32),
}

/// Outcomes and those who wait for them.
#[derive(Default)]
pub(super) struct Batch {
    pub outcomes: Vec<Outcome>,
    pub waiting: Vec<Own>,
    pub answers: Vec<(Caller, Result<Written, StoreError>)>,
}

impl Batch {
    /// A commit, and who waits for it.
    pub fn commit(&mut self, event: Event) {
        let (outcome, own) = event.into_outcome();
        self.outcomes.push(outcome);
        self.waiting.extend(own);
    }
}

impl Followed {
    pub fn reset(&mut self, now: &Snapshot) {
        self.generation = now.generation;
        (self.last, self.rev, self.row) = (now.last, now.rev, hash(&now.row));
        self.tail = now.end.as_ref().map(|frame| Tail::of(frame)).unwrap_or_default();
    }

    /// Feeds all that waits and can be told now. Returns what must be read for the rest.
    pub fn drain(&mut self, out: &mut Batch) -> Option<Next> {
        if !self.begun {
            return None;
        }
        while let Some(at) = self.waiting.iter().position(|event| self.is_ready(event)) {
            let event = self.waiting.remove(at);
            self.feed(event, out);
        }
        let next =
            if self.waiting.iter().any(|event| event.generation > self.generation) { Next::Read } else { Next::Wait };
        (!self.waiting.is_empty() && !self.filling).then_some(next)
    }

    /// Whether nothing before it is missing.
    fn is_ready(&self, event: &Event) -> bool {
        if event.generation != self.generation {
            return event.generation < self.generation;
        }
        let missed = event.own.as_ref().map_or(0, |own| own.missed.len() as u64);
        let row = event.own.as_ref().is_some_and(|own| own.missed_row.is_some());
        event.erased || (event.after <= self.last + missed && (event.revs.0 <= self.rev || row))
    }

    fn feed(&mut self, mut event: Event, out: &mut Batch) {
        if event.generation < self.generation {
            return lost(event, self.last, out);
        }
        if event.erased {
            if event.own.is_some() || (self.last, self.rev) != (0, 0) {
                self.reset(&Snapshot { generation: self.generation, ..Snapshot::default() });
                out.commit(event);
            }
            return;
        }
        if let Some(own) = &mut event.own {
            let first = event.after + 1 - own.missed.len() as u64;
            let missed = take(&mut own.missed);
            let missed_row = own.missed_row.take().filter(|_| event.revs.0 > self.rev);
            let records = (first..).zip(missed).filter(|(seq, _)| *seq > self.last).map(|(_, frame)| frame).collect();
            self.others(event.conv, records, missed_row.map(|row| (event.revs.0, row)), out);
        }
        let known = usize::try_from(self.last.saturating_sub(event.after)).unwrap_or(usize::MAX);
        let known: Vec<Bytes> = event.records.drain(..known.min(event.records.len())).collect();
        if let Some(own) = event.own.as_ref().filter(|own| own.origin != 0) {
            // its sender may take it for another's: it came to be known while its own outcome was not yet
            for frame in known.iter().filter(|frame| is_message(frame)) {
                out.outcomes.push(Outcome::Duplicate { origin: own.origin, frame: frame.clone() });
            }
        }
        if let Some(frame) = event.records.last() {
            self.tail = Tail::of(frame);
            self.last = event.last() + known.len() as u64;
        }
        if event.revs.1 <= self.rev {
            event.row = None;
        }
        if let Some(row) = &event.row {
            (self.rev, self.row) = (event.revs.1, hash(row));
        }
        let news = !event.records.is_empty() || event.row.is_some() || (known.is_empty() && !event.redacted.is_empty());
        if news || (known.is_empty() && event.own.is_some()) {
            out.commit(event);
        } else {
            out.waiting.extend(event.own);
        }
    }

    /// Records and row of others, as they were read.
    fn others(&mut self, conv: ConvId, records: Vec<Bytes>, row: Option<(u32, Bytes)>, out: &mut Batch) {
        if let Some(frame) = records.last() {
            self.tail = Tail::of(frame);
            self.last += records.len() as u64;
        }
        let rev = row.as_ref().map_or(self.rev, |(rev, _)| *rev);
        if let Some((_, row)) = &row {
            (self.rev, self.row) = (rev, hash(row));
        }
        let commit = |records: Vec<Bytes>, redacted| {
            Outcome::Committed(Commit { origin: 0, conv, rev, row: None, records, redacted })
        };
        let mut group = Vec::new();
        for frame in records {
            // what the commit said of a recall stands in its event, too
            match recalled(&frame) {
                Some(seq) => {
                    if !group.is_empty() {
                        out.outcomes.push(commit(take(&mut group), vec![]));
                    }
                    out.outcomes.push(commit(vec![frame], vec![seq]));
                }
                None => group.push(frame),
            }
        }
        if !group.is_empty() || row.is_some() {
            let row = row.map(|(_, row)| row);
            out.outcomes.push(Outcome::Committed(Commit {
                origin: 0,
                conv,
                rev,
                row,
                records: group,
                redacted: vec![],
            }));
        }
    }

    pub fn absorb(&mut self, conv: ConvId, now: &Snapshot, out: &mut Batch) {
        let mut records = now.records.clone();
        // what waits brings its own records and row, and what is on its way comes after those
        let waiting = || self.waiting.iter().filter(|event| event.generation == now.generation);
        let wanted = waiting().map(|event| event.after).min().unwrap_or(u64::MAX).saturating_sub(self.last);
        let wanted_rev = waiting().map(|event| event.revs.0).min().unwrap_or(u32::MAX);
        let same_tail = self.last == 0 || (!records.is_empty() && Tail::of(&records.remove(0)) == self.tail);
        let same_row = now.rev > self.rev || (now.rev == self.rev && (self.rev == 0 || hash(&now.row) == self.row));
        if now.generation == self.generation && now.last == 0 && now.rev == 0 && (self.last, self.rev) != (0, 0) {
            self.reset(now);
            let commit = Commit { origin: 0, conv, rev: 0, row: None, records: vec![], redacted: vec![] };
            out.outcomes.push(Outcome::Committed(commit));
        } else if !same_tail || !same_row || now.last < self.last {
            self.reset(now);
            out.outcomes.push(Outcome::Rewound { conv });
        } else {
            self.generation = now.generation;
            records.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
            let row = (now.rev > self.rev && wanted_rev > self.rev).then(|| (now.rev, now.row.clone()));
            self.others(conv, records, row, out);
        }
    }
}

/// A commit of a generation that has ended: what the log holds was told, and the rest is not in it.
fn lost(event: Event, last: u64, out: &mut Batch) {
    let kept = event.last() <= last;
    let id = event.records.iter().find_map(|frame| check::remembered_id(RecordView::parse(frame)?.body));
    let Some(own) = event.own else { return };
    let error = StoreError::Unwritable;
    match (own.waits, kept) {
        (Some((tx, written)), true) => out.answers.push((tx, Ok(written))),
        (Some((tx, _)), false) => out.answers.push((tx, Err(error))),
        (None, true) => {
            for frame in event.records.into_iter().filter(|frame| is_message(frame)) {
                out.outcomes.push(Outcome::Duplicate { origin: own.origin, frame });
            }
        }
        (None, false) => out.outcomes.push(Outcome::Refused { origin: own.origin, conv: Some(event.conv), id, error }),
    }
}

fn is_message(frame: &[u8]) -> bool {
    RecordView::parse(frame).is_some_and(|record| check::remembered_id(record.body).is_some())
}

/// Which record an event says was recalled.
fn recalled(frame: &[u8]) -> Option<u64> {
    match RecordView::parse(frame)?.event()? {
        Said::Recalled { seq, .. } => Some(seq),
        _ => None,
    }
}
