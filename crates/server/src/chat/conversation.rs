//! A conversation in memory while a client follows it: its row, and what is not worth storing.

use crate::{
    crypto::{codec, hash},
    proto::{ConvId, Event, HeaderView, Kid, Kind, Marks, MsgId, Owner, Priority, RecordView, Summary},
    store::{FactsChange, Head, Op, StoreError},
};

use super::{
    RequestError,
    row::{PublishedRow, Row},
};

/// Progress of one sender's counter, as far as this process saw it.
#[derive(Debug, Clone, Copy)]
struct Counter {
    kid: Kid,
    inst: u32,
    next: u32,
    last: MsgId,
}

/// Counters remembered for each conversation; the oldest go first. Clients check all of them, forever.
const COUNTERS: usize = 16;

/// When a frequently changing value was last sent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told {
    /// Time of the change, ms since 1970.
    pub at: u64,
    /// Whether it changed since.
    pub late: bool,
}

/// Who wrote last, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LastMessage {
    /// A message or a note, ms.
    pub at: u64,
    /// Whether the last message was the visitor's.
    pub visitors: bool,
}

impl LastMessage {
    /// After one more record, if it is a message or a note.
    pub(super) fn then(before: Option<Self>, record: &RecordView<'_>, visitor: Kid) -> Option<Self> {
        match (HeaderView::parse(record.body), before) {
            (Ok((Kind::Message, h)), _) => Some(Self { at: record.at_ms, visitors: h.sender() == visitor }),
            (Ok((Kind::Note, _)), Some(w)) => Some(Self { at: record.at_ms, ..w }),
            // one that comes back is not over at once
            (Err(_), Some(w)) if matches!(record.event(), Some(Event::Woken { .. })) => {
                Some(Self { at: record.at_ms, ..w })
            }
            _ => before,
        }
    }
}

/// A conversation in memory.
#[derive(Debug)]
pub struct CachedConversation {
    /// The conversation.
    pub id: ConvId,
    /// The stored row.
    pub row: Row,
    /// Revision of the row.
    pub rev: u32,
    /// What the fan-out published last; none if nothing since this was read.
    pub told: Option<PublishedRow>,
    /// The revision of that.
    pub told_rev: u32,
    /// Highest sequence number.
    pub last: u64,
    /// Bytes of its records, about.
    pub bytes: u64,
    /// Time of that record, ms.
    pub last_at: u64,
    /// The last word, as far as it was looked up (see [`super::idle`]).
    pub(super) last_message: Option<LastMessage>,
    /// The visitor's key by hash.
    pub visitor: Kid,
    /// How far the visitor is.
    pub visitor_marks: Marks,
    /// How far the agents are.
    pub agent_marks: Marks,
    /// Marks that are not stored yet.
    pub marks_dirty: bool,
    /// Receipts of each side as last sent to the other.
    pub(super) told_marks: [Told; 2],
    /// Typing of each side as last sent to the other, and when.
    pub(super) told_typing: [(bool, u64); 2],
    counters: Vec<Counter>,
}

impl CachedConversation {
    /// A conversation for a row.
    pub fn new(id: ConvId, rev: u32, row: Row) -> Result<Self, StoreError> {
        let ed =
            codec::from_b64u_exact(&row.ed).map_err(|e| StoreError::Corrupt(format!("visitor key of {id}: {e}")))?;
        Ok(Self {
            id,
            rev,
            told: None,
            told_rev: 0,
            last: 0,
            bytes: 0,
            last_at: row.created,
            last_message: None,
            visitor: hash::kid(&ed),
            visitor_marks: Marks::default(),
            agent_marks: Marks::default(),
            marks_dirty: false,
            told_marks: Default::default(),
            told_typing: Default::default(),
            counters: Vec::new(),
            row,
        })
    }

    /// A conversation as it is stored.
    pub fn stored(id: ConvId, head: Head) -> Result<Self, StoreError> {
        let Head { rev, last_seq, last_at_ms, bytes, marks, value } = head;
        let mut conversation = Self::new(id, rev, Row::decode(&value)?)?;
        (conversation.last, conversation.bytes) = (last_seq, bytes);
        if last_at_ms > 0 {
            conversation.last_at = last_at_ms;
        }
        conversation.row.note_empty(last_seq);
        [conversation.visitor_marks, conversation.agent_marks] = marks;
        Ok(conversation)
    }

    /// The step that makes `next` its row.
    pub(super) fn row_op(&self, next: &Row) -> Op {
        let (before, after) = (self.row.facts(self.visitor), next.facts(self.visitor));
        let changed = before != after;
        let facts = changed.then(|| Box::new(FactsChange { before: Some(before), after }));
        Op::Row { value: next.encode(), facts }
    }

    /// As lists show it.
    pub fn summary(&self) -> Summary {
        Summary {
            id: self.id,
            site: self.row.site.clone(),
            team: self.row.team.clone(),
            owner: self.row.owner.clone(),
            state: self.row.state,
            ed: self.row.ed.clone(),
            x: self.row.x.clone(),
            last: self.last,
            epoch: self.row.epoch,
            created: self.row.created,
            last_at: self.last_at,
            waiting_since: (self.row.owner == Owner::Queue && self.row.empty.is_none() && self.row.snoozed.is_none())
                .then_some(self.row.arrived),
            missed: self.row.missed,
            rating: self.row.rating.map(|rating| rating.stars),
            tags: self.row.tags.clone(),
            priority: self.row.priority,
            snoozed: self.row.snoozed,
            reason: self.row.reason.clone(),
            visitor: self.visitor_marks,
            agent: self.agent_marks,
        }
    }

    /// As its visitor may know it: how agents sort their work is not told.
    pub fn summary_for_visitor(&self) -> Summary {
        let queued = self.row.owner == Owner::Queue && self.row.empty.is_none();
        Summary {
            tags: Vec::new(),
            priority: Priority::Normal,
            snoozed: None,
            reason: None,
            waiting_since: queued.then_some(self.row.arrived),
            ..self.summary()
        }
    }

    /// Checks that a sender's counter goes up. A resend of their last envelope passes: the store knows it by its id.
    pub fn count(&mut self, header: &HeaderView<'_>) -> Result<(), RequestError> {
        let (kid, inst, ctr, id) = (header.sender(), header.inst(), header.ctr(), header.msg_id());
        match self.counters.iter_mut().find(|c| c.kid == kid && c.inst == inst) {
            Some(c) if ctr >= c.next => (c.next, c.last) = (ctr.saturating_add(1), id),
            Some(c) if ctr + 1 == c.next && id == c.last => {}
            Some(_) => return Err(RequestError::malformed("this counter was used before in another message")),
            None => {
                if self.counters.len() == COUNTERS {
                    self.counters.remove(0);
                }
                self.counters.push(Counter { kid, inst, next: ctr.saturating_add(1), last: id });
            }
        }
        Ok(())
    }

    /// Forgets a counter after a refusal: the envelope that moved it does not exist.
    pub fn uncount(&mut self, id: MsgId) {
        self.counters.retain(|c| c.last != id);
    }
}
