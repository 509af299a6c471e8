//! Conversations without a word of their visitor. `open` and the first message are two requests, and a page may be gone
//! between them. What nobody could answer must reach nobody: until the first message is stored, the conversation is in no
//! index but its visitor's own, so agents don't see it, the desk doesn't know it, and nothing counts or closes it. With the
//! message, in the same transaction, it joins them, as one that began now.
//!
//! Which message that is the server can't read. `open` may name the id of the envelope that holds the visitor's form; by
//! itself it asks nothing. Any other message joins, whatever became of the one that was meant to be the first.

use crate::proto::{MsgId, Owner};

use super::{
    conversation::CachedConversation,
    row::{Empty, Row},
};

/// What every opening writes: the event `open`, the announcement, the event `owner`.
const OPENING_RECORDS: u64 = 3;

impl Row {
    /// Rows from before there was a mark: what holds nothing but an opening is empty, too.
    pub(super) fn note_empty(&mut self, last_seq: u64) {
        let untouched = last_seq == OPENING_RECORDS && matches!(self.owner, Owner::Queue | Owner::Robot);
        if untouched && self.empty.is_none() {
            self.empty = Some(Empty::default());
        }
    }
}

impl CachedConversation {
    /// The row with this message of the visitor, if that makes the conversation join the others.
    pub(super) fn joined_by(&self, msg: MsgId, now_ms: u64) -> Option<Row> {
        let empty = self.row.empty.as_ref()?;
        (empty.form != Some(msg)).then(|| Row { empty: None, created: now_ms, arrived: now_ms, ..self.row.clone() })
    }
}
