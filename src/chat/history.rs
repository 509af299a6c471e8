//! Pages of the past, and what a reader may see of them.

use bytes::Bytes;

use crate::{
    hub::Who,
    proto::{ConvId, Event, RECORD_HEADER, RecordView, encode_record, event_body},
};

use super::{Chat, Refusal, cells::lock};

/// Most records in one page.
pub const HISTORY_RECORDS: usize = 500;

/// Bytes after which a page ends early.
const HISTORY_BYTES: usize = 1024 * 1024;

/// What a visitor may not have: grants and notes, notes that were recalled (their counters are no counters of his), and
/// the news that one was.
pub(super) fn hidden_from_visitors(frame: &[u8]) -> bool {
    let body = frame.get(RECORD_HEADER..).unwrap_or_default();
    match body.get(..3) {
        Some([b'K', b'1', kind]) => matches!(kind, 3 | 4 | 10),
        Some([b'K', b'0', _]) => {
            let event = RecordView::parse(frame).and_then(|r| r.event());
            matches!(event, Some(Event::Recalled { note: true, .. }))
        }
        _ => false,
    }
}

/// The place holder that keeps a visitor's numbers without gaps.
pub(super) fn hidden(record: &RecordView<'_>) -> Bytes {
    encode_record(record.seq, record.at_ms, &event_body(record.conv(), &Event::Hidden {})).into()
}

/// A record as this reader may have it.
pub(super) fn masked(who: &Who, frame: Bytes) -> Bytes {
    match (who, RecordView::parse(&frame)) {
        (Who::Visitor { .. }, Some(record)) if hidden_from_visitors(&frame) => hidden(&record),
        _ => frame,
    }
}

impl Chat {
    /// Up to `limit` records after `after`. Touches the disk: call it where blocking is fine.
    pub fn history(&self, who: &Who, conv: ConvId, after: u64, limit: usize) -> Result<Vec<Bytes>, Refusal> {
        let shared = self.must_cell(conv)?;
        if !self.sees(who, &lock(&shared)) {
            return Err(Refusal::not_found());
        }
        let mut bytes = 0;
        let records = self.store.records(conv, after, limit.min(HISTORY_RECORDS))?;
        Ok(records
            .into_iter()
            .take_while(|(_, frame)| {
                let fits = bytes == 0 || bytes + frame.len() <= HISTORY_BYTES;
                bytes += frame.len();
                fits
            })
            .map(|(_, frame)| masked(who, frame))
            .collect())
    }
}
