//! A commit on its way to the feed, and the form in which one server tells the others of it.

use bytes::Bytes;
use kefu_proto::{ConvId, RECORD_HEADER, RecordView, encode_record};
use tokio::sync::oneshot;

use crate::{Commit, Outcome, StoreError, Written, check};

/// A server, among all that write: drawn when it opens the store.
pub(super) type Node = [u8; 8];

/// Bytes of a record before its body, as Redis has it.
pub(super) const AT: usize = 8;

/// The frame of a record: `seq ‖ at ‖ body`.
pub(super) fn frame(seq: u64, record: &[u8]) -> Bytes {
    [&seq.to_be_bytes(), record].concat().into()
}

/// The time of a record.
pub(super) fn time_of(record: &[u8]) -> u64 {
    record.first_chunk::<AT>().map_or(0, |at| u64::from_be_bytes(*at))
}

/// What happened in one conversation.
#[derive(Debug)]
pub(super) struct Event {
    pub conv: ConvId,
    /// Generation of the lane in which it happened.
    pub generation: u64,
    /// Sequence number of the last record before.
    pub after: u64,
    /// Frames of the new records, which follow `after`.
    pub records: Vec<Bytes>,
    /// Revision before and afterwards.
    pub revs: (u32, u32),
    /// The new row, if it changed.
    pub row: Option<Bytes>,
    pub redacted: Vec<u64>,
    pub erased: bool,
    /// It was this server's batch.
    pub own: Option<Own>,
}

/// A caller who waits.
pub(super) type Caller = oneshot::Sender<Result<Written, StoreError>>;

/// Who waits for an own batch.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// A connection, or 0.
    pub origin: u64,
    /// A caller.
    pub waits: Option<(Caller, Written)>,
    /// What others wrote just before it, and this server did not know.
    pub missed: Vec<Bytes>,
    /// The row as it was before, if this server did not know it.
    pub missed_row: Option<Bytes>,
}

impl Own {
    /// After the feed has it.
    pub fn answer(self) {
        if let Some((tx, written)) = self.waits {
            // the caller may have gone away
            drop(tx.send(Ok(written)));
        }
    }
}

impl Event {
    /// Sequence number of the last record afterwards.
    pub fn last(&self) -> u64 {
        self.after + self.records.len() as u64
    }

    /// What others need of it.
    pub fn copy(&self) -> Self {
        let (records, row, redacted) = (self.records.clone(), self.row.clone(), self.redacted.clone());
        Self { records, row, redacted, own: None, ..*self }
    }

    pub fn into_outcome(self) -> (Outcome, Option<Own>) {
        let origin = self.own.as_ref().map_or(0, |own| own.origin);
        let Self { conv, records, row, redacted, revs, own, .. } = self;
        (Outcome::Committed(Commit { origin, conv, rev: revs.1, row, records, redacted }), own)
    }

    /// For others.
    pub fn encode(&self, node: Node) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.records.iter().map(|r| r.len()).sum::<usize>());
        out.extend_from_slice(&node);
        out.extend_from_slice(&self.generation.to_be_bytes());
        out.extend_from_slice(&self.after.to_be_bytes());
        out.extend_from_slice(&self.revs.0.to_be_bytes());
        out.extend_from_slice(&self.revs.1.to_be_bytes());
        out.push(u8::from(self.row.is_some()) | u8::from(self.erased) << 1);
        if let Some(row) = &self.row {
            put(&mut out, row);
        }
        out.extend_from_slice(&(self.redacted.len() as u32).to_be_bytes());
        for seq in &self.redacted {
            out.extend_from_slice(&seq.to_be_bytes());
        }
        for frame in &self.records {
            put(&mut out, &frame[RECORD_HEADER - AT..]);
        }
        out
    }

    /// From another server; none if it is this one's own, or of a form that a later kefu has.
    pub fn decode(conv: ConvId, payload: &[u8], me: Node) -> Option<Self> {
        let mut rest = payload;
        if take::<8>(&mut rest)? == me {
            return None;
        }
        let (generation, after) = (u64::from_be_bytes(take(&mut rest)?), u64::from_be_bytes(take(&mut rest)?));
        let revs = (u32::from_be_bytes(take(&mut rest)?), u32::from_be_bytes(take(&mut rest)?));
        let [flags] = take(&mut rest)?;
        let row = if flags & 1 != 0 { Some(Bytes::copy_from_slice(get(&mut rest)?)) } else { None };
        let redacted = (0..u32::from_be_bytes(take(&mut rest)?)).map(|_| take(&mut rest).map(u64::from_be_bytes));
        let redacted = redacted.collect::<Option<_>>()?;
        let mut records = Vec::new();
        while !rest.is_empty() {
            let record = get(&mut rest)?;
            records.push(frame(after + 1 + records.len() as u64, record));
        }
        Some(Self { conv, generation, after, records, revs, row, redacted, erased: flags & 2 != 0, own: None })
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn get<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_be_bytes(take(rest)?);
    let (bytes, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = after;
    Some(bytes)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*bytes)
}

/// A change of a row, for those who keep lists: `node ‖ number in its lane ‖ conversation ‖ revision ‖ row`.
#[derive(Debug)]
pub(super) struct RowChange {
    pub node: Node,
    pub number: u64,
    pub conv: ConvId,
    pub rev: u32,
    pub row: Bytes,
}

impl RowChange {
    pub fn encode(&self) -> Vec<u8> {
        [&self.node[..], &self.number.to_be_bytes(), &self.conv.0, &self.rev.to_be_bytes(), &self.row].concat()
    }

    pub fn decode(mut payload: &[u8]) -> Option<Self> {
        let rest = &mut payload;
        let (node, number) = (take(rest)?, u64::from_be_bytes(take(rest)?));
        let (conv, rev) = (ConvId(take(rest)?), u32::from_be_bytes(take(rest)?));
        Some(Self { node, number, conv, rev, row: Bytes::copy_from_slice(rest) })
    }
}

/// By which a record is known again when its generation has changed: its time, and its id or, without one, its content. A recall
/// changes neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tail {
    at_ms: u64,
    id: [u8; 16],
}

impl Tail {
    pub fn of(frame: &[u8]) -> Self {
        let Some(record) = RecordView::parse(frame) else { return Self::default() };
        let id = check::remembered_id(record.body).map_or_else(|| hash(record.body), |id| id.0);
        Self { at_ms: record.at_ms, id }
    }
}

/// Half of a SHA-256.
pub(super) fn hash(bytes: &[u8]) -> [u8; 16] {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}

/// Frames of records that one batch appended after `after`.
pub(super) fn frames(after: u64, at_ms: u64, bodies: &[Bytes]) -> Vec<Bytes> {
    (after + 1..).zip(bodies).map(|(seq, body)| encode_record(seq, at_ms, body).into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONV: ConvId = ConvId([3; 16]);

    fn event() -> Event {
        let bodies = [Bytes::from_static(b"one"), Bytes::new()];
        Event {
            conv: CONV,
            generation: 7,
            after: 4,
            records: frames(4, 99, &bodies),
            revs: (1, 2),
            row: Some(Bytes::from_static(b"row")),
            redacted: vec![2, 3],
            erased: false,
            own: None,
        }
    }

    #[test]
    fn others_read_what_was_told() {
        let told = event();
        let read = Event::decode(CONV, &told.encode([1; 8]), [2; 8]).unwrap();
        assert_eq!(format!("{read:?}"), format!("{told:?}"));
        assert!(Event::decode(CONV, &told.encode([1; 8]), [1; 8]).is_none(), "one's own");
        let whole = told.encode([1; 8]);
        // it may end only where a record may
        let ends = (0..whole.len()).filter(|end| Event::decode(CONV, &whole[..*end], [2; 8]).is_some());
        assert_eq!(ends.collect::<Vec<_>>(), [whole.len() - 12 - 15, whole.len() - 12]);
    }

    #[test]
    fn changes_of_rows_are_read_as_told() {
        let told = RowChange { node: [1; 8], number: 9, conv: CONV, rev: 3, row: Bytes::from_static(b"r") };
        let read = RowChange::decode(&told.encode()).unwrap();
        assert_eq!(format!("{read:?}"), format!("{told:?}"));
        assert!(RowChange::decode(&told.encode()[..35]).is_none());
    }

    #[test]
    fn a_record_is_known_again_after_a_recall() {
        let conv = CONV;
        let message = check::bearing(conv, kefu_proto::MsgId([5; 16]));
        let one = encode_record(1, 10, &message);
        assert_eq!(Tail::of(&one), Tail::of(&encode_record(2, 10, &message)));
        assert_ne!(Tail::of(&one), Tail::of(&encode_record(1, 11, &message)));
        assert_ne!(Tail::of(&encode_record(1, 10, &[b'a'; 20])), Tail::of(&encode_record(1, 10, &[b'b'; 20])));
    }
}
