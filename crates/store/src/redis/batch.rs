//! A batch as the call of a script, and the script's reply.

use bytes::Bytes;
use kefu_proto::{ConvId, Kid, Marks, TeamId};
use kefu_redis_link::{Cmd, Value};

use super::{
    event::{Event, Own, frame, frames, time_of},
    keys::{COMPANY, Keys, lane_of},
    queue::Job,
    scripts::SCRIPTS,
    value::{bytes, number, parts, strings},
};
use crate::{Batch, Facts, FactsChange, Op, StoreError, Table, Written, check};

/// What the feed has told of the conversation so far, if the script shall say what others did since: last record, revision.
pub(super) type Known = Option<(u64, u32)>;

/// The call that writes a job's batch.
pub(super) fn call(keys: &Keys, job: &Job, generation: u64, known: Known) -> Cmd {
    let Some(conv) = job.batch.conv else { return company(keys, job, generation) };
    let rev = job.batch.rev.map(|rev| rev.to_string()).unwrap_or_default();
    let (have, row) = known.map_or_else(Default::default, |(last, rev)| (last.to_string(), rev.to_string()));
    let own = [keys.records(conv), keys.ids(conv), keys.conversation(conv), keys.lane(lane_of(conv))];
    let only_appends = !job.batch.ops.is_empty() && job.batch.ops.iter().all(|op| matches!(op, Op::Append { .. }));
    if only_appends && job.ticket.is_none() {
        let mut call = SCRIPTS.say().call(&own);
        call.arg(generation).arg(rev).arg(have).arg(row);
        for body in check::appended(&job.batch.ops) {
            call.arg(id_of(body)).arg(body);
        }
        return call;
    }
    let (steps, indexes) = steps(keys, conv, &job.batch.ops);
    let all: Vec<&[u8]> = own.iter().chain(&indexes).map(Vec::as_slice).collect();
    let mut call = SCRIPTS.batch().call(&all);
    call.arg(generation).arg(rev).arg(have).arg(row).arg(job.ticket.map(|ticket| ticket.to_vec()).unwrap_or_default());
    for argument in steps {
        call.arg(argument);
    }
    call
}

fn id_of(body: &[u8]) -> Vec<u8> {
    check::remembered_id(body).map(|id| id.0.to_vec()).unwrap_or_default()
}

/// The steps of a batch as `batch.lua` has them, and the keys of the indexes that they name by position.
fn steps(keys: &Keys, conv: ConvId, ops: &[Op]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (mut steps, mut indexes) = (Vec::new(), Vec::new());
    let text = |number: u64| number.to_string().into_bytes();
    for op in ops {
        match op {
            Op::Append { body, .. } => steps.extend([b"A".to_vec(), id_of(body), body.to_vec()]),
            Op::Redact { seq, body } => steps.extend([b"X".to_vec(), text(*seq), id_of(body), body.to_vec()]),
            Op::Row { value, facts } => {
                steps.extend([b"R".to_vec(), value.to_vec()]);
                if let Some(change) = facts {
                    steps.extend(index(keys, conv, changes(change), &mut indexes));
                }
            }
            Op::Marks { side, marks } => {
                let Marks { delivered, read } = marks;
                let numbers = [delivered, read].map(|number| number.to_be_bytes().to_vec());
                steps.extend([b"M".to_vec(), text(*side as u64)].into_iter().chain(numbers));
            }
            Op::Erase { last_seq, facts } => {
                steps.extend([b"E".to_vec(), text(*last_seq)]);
                let widest = facts.as_deref().map(|facts| Facts { listed: true, open: true, ..facts.clone() });
                let gone = widest.iter().flat_map(places).map(|place| (place, false));
                steps.extend(index(keys, conv, gone.collect(), &mut indexes));
            }
            // a batch about a conversation has no others
            Op::Expect { .. } | Op::Put { .. } | Op::Delete { .. } => {}
        }
    }
    (steps, indexes)
}

/// A conversation in an index of its lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Open,
    ByTime(u64),
    OfTeam(TeamId, u64),
    Missed(TeamId, u64),
}

/// Where a conversation with these facts stands.
pub(super) fn places(facts: &Facts) -> Vec<Place> {
    let mut places = Vec::new();
    if facts.listed {
        places.push(Place::ByTime(facts.created));
        places.push(Place::OfTeam(facts.team.clone(), facts.created));
    }
    if facts.listed && facts.open {
        places.push(Place::Open);
    }
    if let Some(at_ms) = facts.missed {
        places.push(Place::Missed(facts.team.clone(), at_ms));
    }
    places
}

/// Places that go (false) and come.
fn changes(change: &FactsChange) -> Vec<(Place, bool)> {
    let before = change.before.as_ref().map_or_else(Vec::new, places);
    let after = places(&change.after);
    let gone = before.iter().filter(|place| !after.contains(place)).map(|place| (place.clone(), false));
    let new = after.iter().filter(|place| !before.contains(place)).map(|place| (place.clone(), true));
    gone.chain(new).collect()
}

impl Place {
    /// The key of the index and the member that is the conversation. It is a set for [`Place::Open`], else a sorted set.
    pub fn at(&self, keys: &Keys, conv: ConvId) -> (Vec<u8>, Vec<u8>) {
        let lane = lane_of(conv);
        let at = |at_ms| crate::Place { at_ms, conv }.key().to_vec();
        match self {
            Self::Open => (keys.open(lane), conv.0.to_vec()),
            Self::ByTime(created) => (keys.by_time(lane), at(*created)),
            Self::OfTeam(team, created) => (keys.of_team(lane, team), at(*created)),
            Self::Missed(team, since) => (keys.missed(lane, team), at(*since)),
        }
    }
}

fn index(keys: &Keys, conv: ConvId, changes: Vec<(Place, bool)>, indexes: &mut Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut steps = Vec::new();
    for (place, comes) in changes {
        let (key, member) = place.at(keys, conv);
        let name = match (place, comes) {
            (Place::Open, true) => b"S",
            (Place::Open, false) => b"s",
            (_, true) => b"Z",
            (_, false) => b"z",
        };
        indexes.push(key);
        // after the four keys of the conversation
        steps.extend([name.to_vec(), (indexes.len() + 4).to_string().into_bytes(), member]);
    }
    steps
}

fn company(keys: &Keys, job: &Job, generation: u64) -> Cmd {
    let mut tables: Vec<Table> = Vec::new();
    let mut steps: Vec<Vec<u8>> = Vec::new();
    for op in &job.batch.ops {
        let (name, table, key, rest) = match op {
            Op::Expect { table, key, value } => {
                let has = if value.is_some() { b"1".to_vec() } else { b"0".to_vec() };
                (b"E", table, key, vec![has, value.clone().unwrap_or_default()])
            }
            Op::Put { table, key, value } => (b"P", table, key, vec![value.clone()]),
            Op::Delete { table, key } => (b"D", table, key, vec![]),
            _ => continue,
        };
        let at = tables.iter().position(|known| known == table).unwrap_or_else(|| {
            tables.push(*table);
            tables.len() - 1
        });
        // after the key of the lane, two for each table
        steps.extend([name.to_vec(), (2 * at + 2).to_string().into_bytes(), key.clone()]);
        steps.extend(rest);
    }
    let names = tables.iter().flat_map(|table| [keys.values(*table), keys.keys(*table)]);
    let all: Vec<Vec<u8>> = std::iter::once(keys.lane(COMPANY)).chain(names).collect();
    let mut call = SCRIPTS.company().call(&all);
    call.arg(generation).arg(job.ticket.map(|ticket| ticket.to_vec()).unwrap_or_default());
    for argument in steps {
        call.arg(argument);
    }
    call
}

/// The visitor whose index must know the conversation before the batch is written.
pub(super) fn first_of(batch: &Batch) -> Option<(Kid, ConvId)> {
    let conv = batch.conv?;
    batch.ops.iter().find_map(|op| match op {
        Op::Row { facts: Some(change), .. } if change.before.is_none() => Some((change.after.visitor, conv)),
        _ => None,
    })
}

/// The visitor whose index need not know the conversation any more when the batch is written.
pub(super) fn last_of(batch: &Batch) -> Option<(Kid, ConvId)> {
    let conv = batch.conv?;
    batch.ops.iter().find_map(|op| match op {
        Op::Erase { facts: Some(facts), .. } => Some((facts.visitor, conv)),
        _ => None,
    })
}

/// What a script answered.
#[derive(Debug)]
pub(super) enum Answer {
    /// It is written, now or when it was sent before.
    Written {
        /// Sequence number before its appends.
        after: u64,
        at_ms: u64,
        rev: u32,
        /// Changes of rows in its lane so far; 0 if it changed none, or did so when it was sent before.
        change: u64,
        missed: Vec<Vec<u8>>,
        row: Option<Bytes>,
    },
    /// One of its messages is there already.
    Known {
        seq: u64,
        record: Vec<u8>,
        rev: u32,
    },
    Refused(StoreError),
    /// The lane has another generation.
    Generation,
}

/// Reads a script's reply.
pub(super) fn answer(reply: Value) -> Answer {
    let mut fields = parts(reply).into_iter();
    let name = fields.next();
    let fields: Vec<Value> = fields.collect();
    let at = |n: usize| fields.get(n).map_or(0, number);
    match name.as_ref().and_then(bytes) {
        Some(b"W") => {
            let (after, at_ms, rev, change) = (at(0).saturating_sub(1), at(1), at(2) as u32, at(3));
            let mut rest = fields.into_iter().skip(4);
            let missed = rest.next().map(strings).unwrap_or_default();
            let row = rest.next().as_ref().and_then(bytes).map(Bytes::copy_from_slice);
            Answer::Written { after, at_ms, rev, change, missed, row }
        }
        Some(b"T") => Answer::Written {
            after: at(0).saturating_sub(1),
            at_ms: at(1),
            rev: at(2) as u32,
            change: 0,
            missed: vec![],
            row: None,
        },
        Some(b"D") => {
            let record = fields.get(1).and_then(bytes).unwrap_or_default().to_vec();
            Answer::Known { seq: at(0), record, rev: at(2) as u32 }
        }
        Some(b"C") => Answer::Refused(StoreError::Conflict),
        Some(b"G") => Answer::Generation,
        Some(b"I") if at(0) == 1 => Answer::Refused(StoreError::Invalid("no such record to replace")),
        Some(b"I") => Answer::Refused(StoreError::Invalid("a tombstone has the id of what it replaces")),
        _ => Answer::Refused(StoreError::Corrupt("Redis answered something unexpected to a batch".to_owned())),
    }
}

/// Whether a known message is one's own, written when its batch was sent before. If so, as what was written then.
pub(super) fn own(batch: &Batch, seq: u64, record: &[u8], rev: u32) -> Option<Answer> {
    let body = record.get(super::event::AT..)?;
    let at = check::appended(&batch.ops).position(|own| own == body)? as u64;
    // no conversation has this revision: the batch is a question
    let asks = batch.rev == Some(u32::MAX);
    (!asks && at < seq).then(|| Answer::Written {
        after: seq - 1 - at,
        at_ms: time_of(record),
        rev,
        change: 0,
        missed: vec![],
        row: None,
    })
}

/// A written batch as an event, with what its caller is told; no event if it was about tables or marks alone.
pub(super) fn event(
    batch: &Batch,
    generation: u64,
    (after, at_ms, rev): (u64, u64, u32),
    (missed, missed_row): (Vec<Vec<u8>>, Option<Bytes>),
) -> (Written, Option<Event>) {
    let bodies: Vec<Bytes> = batch
        .ops
        .iter()
        .filter_map(|op| match op {
            Op::Append { body, .. } => Some(body.clone()),
            _ => None,
        })
        .collect();
    let written = Written { seqs: (after + 1..).take(bodies.len()).collect(), at_ms, rev };
    let Some(conv) = batch.conv.filter(|_| !check::only_marks(batch)) else { return (written, None) };
    let records = frames(after, at_ms, &bodies);
    let (mut row, mut rows, mut redacted, mut erased) = (None, 0, Vec::new(), false);
    for op in &batch.ops {
        match op {
            Op::Row { value, .. } => (row, rows) = (Some(value.clone()), rows + 1),
            Op::Redact { seq, .. } => redacted.push(*seq),
            Op::Erase { .. } => erased = true,
            _ => {}
        }
    }
    let first = after + 1 - missed.len() as u64;
    let missed = (first..).zip(&missed).map(|(seq, record)| frame(seq, record)).collect();
    let own = Some(Own { origin: 0, waits: None, missed, missed_row });
    let revs = (rev.saturating_sub(rows), rev);
    (written, Some(Event { conv, generation, after, records, revs, row, redacted, erased, own }))
}
