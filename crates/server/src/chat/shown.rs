//! What a reader is shown of a record. Visitors get no notes and no grants; readers who know only revision 1 of the rules of
//! readers (protocol §2) get no recalls, but the events that came before them.

use std::collections::HashMap;

use bytes::Bytes;

use crate::{
    hub::Who,
    proto::{
        ConvId, Event, HeaderView, Kid, Kind, MsgId, RECORD_HEADER, RecallView, RecordView, encode_record, event_body,
    },
    store::StoredRecord,
};

use super::{Chat, RequestError};

/// A reader of records, with the revision they know.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// Identity of the reader.
    pub who: &'a Who,
    /// The revision of the rules that they know.
    pub rev: u32,
}

/// How a record is shown to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Whole,
    /// A place, and nothing in it.
    Hidden,
    /// The event of revision 1.
    Recalled,
}

/// A record on its way to readers; what it looks like to each is made once.
pub(super) struct Views {
    frame: Bytes,
    /// What visitors may not have: grants, notes, and the news that one was recalled (their counters are no counters of
    /// theirs) or that a missed conversation was dismissed.
    secret: bool,
    kind: Option<u8>,
    /// What readers of revision 1 have in the place of a recall.
    event: Option<Event>,
    hidden: Option<Bytes>,
    recalled: Option<Bytes>,
}

impl Views {
    /// Of a record. `event` is what a recall is to readers of revision 1; without it they are shown nothing.
    pub fn new(frame: Bytes, event: Option<Event>) -> Self {
        let body = frame.get(RECORD_HEADER..).unwrap_or_default();
        let (kind, secret) = match body.get(..3) {
            Some([b'K', b'1', kind]) => (Some(*kind), matches!(kind, 3 | 4 | 6 | 10)),
            Some([b'K', b'0', _]) => {
                let event = RecordView::parse(&frame).and_then(|r| r.event());
                (None, event.is_some_and(|event| for_agents(&event)))
            }
            _ => (None, false),
        };
        Self { frame, secret, kind, event, hidden: None, recalled: None }
    }

    fn look(&self, reader: Reader<'_>) -> Look {
        match self.kind {
            _ if self.secret && matches!(reader.who, Who::Visitor { .. }) => Look::Hidden,
            Some(6) if reader.rev < 2 => Look::Hidden,
            Some(5) if reader.rev < 2 && self.event.is_some() => Look::Recalled,
            Some(5) if reader.rev < 2 => Look::Hidden,
            _ => Look::Whole,
        }
    }

    /// As this reader has it.
    pub fn to(&mut self, reader: Reader<'_>) -> Bytes {
        let look = self.look(reader);
        let (slot, event) = match (look, &self.event) {
            (Look::Whole, _) => return self.frame.clone(),
            (Look::Recalled, Some(event)) => (&mut self.recalled, event),
            (Look::Recalled | Look::Hidden, _) => (&mut self.hidden, &Event::Hidden {}),
        };
        let frame = &self.frame;
        let make = || RecordView::parse(frame).map(|r| instead(&r, event)).unwrap_or_default();
        slot.get_or_insert_with(make).clone()
    }
}

/// Whether an event is none of the visitor's business.
fn for_agents(event: &Event) -> bool {
    match event {
        Event::Recalled { note, .. } => *note,
        Event::Dismissed { .. }
        | Event::Tagged { .. }
        | Event::Priority { .. }
        | Event::Snoozed { .. }
        | Event::Woken { .. }
        | Event::Reason { .. }
        | Event::Blocked { .. }
        | Event::Unblocked { .. } => true,
        Event::Open { .. }
        | Event::Owner { .. }
        | Event::Closed { .. }
        | Event::Reopened { .. }
        | Event::Rated { .. }
        | Event::Hidden {} => false,
    }
}

/// An event in the place of a record: numbers stay without gaps.
fn instead(record: &RecordView<'_>, event: &Event) -> Bytes {
    encode_record(record.seq, record.at_ms, &event_body(record.conv(), event)).into()
}

/// One record as this reader has it, where the target of a recall is not known.
pub(super) fn shown(reader: Reader<'_>, frame: Bytes) -> Bytes {
    Views::new(frame, None).to(reader)
}

/// The recall in a record, if it is one of a message.
pub(super) fn recall_in(frame: &[u8]) -> Option<RecallView<'_>> {
    let body = frame.get(RECORD_HEADER..)?;
    RecallView::parse(body).ok().filter(|_| body[2] == Kind::Recall as u8)
}

impl Chat {
    /// What a recall is to readers of revision 1.
    pub(super) fn recalled_event(&self, frame: &[u8], seq: u64, visitor: Kid) -> Option<Event> {
        let record = RecordView::parse(frame)?;
        let sender = HeaderView::parse(record.body).ok()?.1.sender();
        let msg = recall_in(frame)?.msg();
        Some(Event::Recalled { seq, msg, by: self.name_of(sender, visitor), note: false })
    }

    /// The user who has or had this key, as events name them.
    fn name_of(&self, kid: Kid, visitor: Kid) -> String {
        if kid == visitor {
            return "visitor".into();
        }
        self.org.directory().key(&kid).map_or_else(String::new, |(user, _)| user.to_string())
    }

    /// Records that follow each other, as this reader has them.
    pub(super) async fn shown_all(
        &self,
        reader: Reader<'_>,
        conv: ConvId,
        visitor: Kid,
        records: Vec<StoredRecord>,
    ) -> Result<Vec<Bytes>, RequestError> {
        let stones = if reader.rev < 2 { self.stones(conv, &records).await? } else { HashMap::new() };
        let show = |(_, frame): StoredRecord| {
            let seq = recall_in(&frame).and_then(|r| stones.get(&r.msg()));
            let event = seq.and_then(|seq| self.recalled_event(&frame, *seq, visitor));
            Views::new(frame, event).to(reader)
        };
        Ok(records.into_iter().map(show).collect())
    }

    /// Positions of earlier tombstones that recalls among these records left: a reader who still has the text
    /// must be told. Tombstones among the records themselves they see by reading.
    async fn stones(&self, conv: ConvId, records: &[StoredRecord]) -> Result<HashMap<MsgId, u64>, RequestError> {
        const STEP: u64 = 50;
        const MOST_BYTES: usize = 1024 * 1024;
        let stone = |frame: &[u8]| {
            let body = frame.get(RECORD_HEADER..)?;
            HeaderView::parse(body).ok().filter(|(kind, _)| *kind == Kind::Tombstone).map(|(_, h)| h.msg_id())
        };
        let mut missing: Vec<MsgId> = records.iter().filter_map(|(_, f)| recall_in(f)).map(|r| r.msg()).collect();
        records.iter().filter_map(|(_, f)| stone(f)).for_each(|here| missing.retain(|msg| *msg != here));
        let mut found = HashMap::new();
        let Some((first, _)) = records.first().filter(|_| !missing.is_empty()) else { return Ok(found) };
        let (mut end, floor, mut bytes) = (first - 1, first.saturating_sub(super::recall::LOOK_BACK), 0);
        while end > floor && found.len() < missing.len() && bytes < MOST_BYTES {
            let begin = end.saturating_sub(STEP).max(floor);
            for (seq, frame) in self.store.records(conv, begin, (end - begin) as usize).await? {
                bytes += frame.len();
                found.extend(stone(&frame).filter(|msg| missing.contains(msg)).map(|msg| (msg, seq)));
            }
            end = begin;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::RECALL_LEN;

    fn who(agent: bool) -> Who {
        let kid = Kid([1; 16]);
        if agent {
            Who::Agent { kid, user: "li".parse().unwrap() }
        } else {
            Who::Visitor { kid, site: "s1".parse().unwrap() }
        }
    }

    fn recall(kind: u8) -> Bytes {
        let mut body = vec![0; RECALL_LEN];
        body[..4].copy_from_slice(&[b'K', b'1', kind, 1]);
        encode_record(9, 7, &body).into()
    }

    fn event(frame: &Bytes) -> Option<Event> {
        let record = RecordView::parse(frame).unwrap();
        assert_eq!((record.seq, record.at_ms), (9, 7));
        record.event()
    }

    #[test]
    fn recalls_look_as_each_reader_knows_them() {
        let said = Event::Recalled { seq: 3, msg: MsgId([0; 16]), by: "visitor".into(), note: false };
        // kind, agent, revision, what is shown: none is the record itself
        let table = [
            (5, false, 1, Some(said.clone())),
            (5, true, 1, Some(said.clone())),
            (5, false, 2, None),
            (5, true, 2, None),
            (6, false, 1, Some(Event::Hidden {})),
            (6, true, 1, Some(Event::Hidden {})),
            (6, false, 2, Some(Event::Hidden {})),
            (6, true, 2, None),
        ];
        for (kind, agent, rev, want) in table {
            let frame = recall(kind);
            let who = who(agent);
            let mut views = Views::new(frame.clone(), (kind == 5).then(|| said.clone()));
            let seen = views.to(Reader { who: &who, rev });
            assert_eq!(event(&seen), want, "kind {kind}, agent {agent}, revision {rev}");
            assert_eq!(want.is_none(), seen == frame);
        }
        let visitor = who(false);
        assert_eq!(event(&shown(Reader { who: &visitor, rev: 1 }, recall(5))), Some(Event::Hidden {}));
    }
}
