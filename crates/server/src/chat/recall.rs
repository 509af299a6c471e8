//! Taking a message back: its text leaves the store, its place and counter stay, and the recall itself is kept, signed by
//! its sender. And finding an envelope by its id, which a resend needs, too.

use bytes::Bytes;

use crate::{
    crypto::recall,
    hub::Conn,
    proto::{ConvId, ErrorCode, Event, HeaderView, Kid, Kind, MsgId, RECALL_MS, RecallView, RecordView, tombstone},
    store::{self, Batch, Op, StoredRecord},
};

use super::{Act, Address, Chat, RequestError, close::append, conversation::CachedConversation};

/// How many records back something may be recalled. Two minutes of one conversation are never more.
pub(super) const LOOK_BACK: u64 = 500;

fn none() -> RequestError {
    RequestError::new(ErrorCode::NotFound, "there is no such message of yours")
}

fn in_time(record: &RecordView<'_>, last: u64, now_ms: u64) -> Result<(), RequestError> {
    if now_ms.saturating_sub(record.at_ms) > RECALL_MS || last.saturating_sub(record.seq) >= LOOK_BACK {
        return Err(RequestError::new(ErrorCode::TooLate, "messages can be recalled within two minutes"));
    }
    Ok(())
}

impl Chat {
    /// Recalls one's own message, for clients of revision 1: they have no recall that they could sign.
    pub async fn recall(&self, conn: &Conn, address: Address, conv: ConvId, msg: MsgId) -> Result<(), RequestError> {
        self.has_room_for(conn, 0)?;
        self.charge(conn, address, Act { messages: 1, records: 1, ..Act::default() })?;
        let last = {
            let conversation = self.cache.require(conv).await?;
            let conversation = conversation.lock();
            if !self.sees(&conn.who, &conversation) {
                return Err(RequestError::not_found());
            }
            conversation.last
        };
        let (seq, frame) = self.find(conv, conn.who.kid(), msg).await?.ok_or_else(none)?;
        let record = RecordView::parse(&frame).ok_or_else(none)?;
        let kind = HeaderView::parse(record.body).map_err(|_| none())?.0;
        if matches!(kind, Kind::Tombstone | Kind::NoteTombstone) {
            return Ok(());
        }
        let left: Bytes = tombstone(record.body).ok_or_else(none)?.into();
        in_time(&record, last, self.now_ms())?;
        let note = kind == Kind::Note;
        self.cache
            .change(conv, |conversation, batch| {
                // it may have gone to another team meanwhile
                if !self.sees(&conn.who, conversation) {
                    return Err(RequestError::not_found());
                }
                let by = conn.who.user().map_or_else(|| "visitor".into(), ToString::to_string);
                batch.ops.push(Op::Redact { seq, body: left.clone() });
                batch.ops.push(append(conversation, &Event::Recalled { seq, msg, by, note }));
                Ok(None)
            })
            .await
    }

    /// The message or note that a recall removes.
    pub(super) async fn recalled_by(
        &self,
        conn: &Conn,
        header: &HeaderView<'_>,
        bytes: &[u8],
    ) -> Result<StoredRecord, RequestError> {
        let view = RecallView::parse(bytes)?;
        let shared = self.cache.require(header.conv()).await?;
        if !self.sees(&conn.who, &shared.lock()) {
            return Err(RequestError::not_found());
        }
        self.find(header.conv(), header.sender(), view.msg()).await?.ok_or_else(none)
    }

    /// Checks a recall of `of` and adds what happens to that.
    pub(super) fn check_recall(
        &self,
        conn: &Conn,
        conversation: &mut CachedConversation,
        header: &HeaderView<'_>,
        of: Option<&StoredRecord>,
        batch: &mut Batch,
    ) -> Result<(), RequestError> {
        let view = recall::verify(header.bytes(), &conn.ed)
            .map_err(|e| RequestError::new(ErrorCode::Malformed, e.to_string()))?;
        let record = of.and_then(|(_, frame)| RecordView::parse(frame)).ok_or_else(none)?;
        recall::fits(&view, record.body).map_err(|e| RequestError::new(ErrorCode::Malformed, e.to_string()))?;
        in_time(&record, conversation.last, self.now_ms())?;
        if header.epoch() != conversation.row.epoch {
            return Err(RequestError::epoch_over());
        }
        conversation.count(header)?;
        // of a tombstone nothing is left to take away
        batch.ops.extend(tombstone(record.body).map(|left| Op::Redact { seq: record.seq, body: left.into() }));
        Ok(())
    }

    /// The envelope of this sender with this id.
    pub(super) async fn find(
        &self,
        conv: ConvId,
        sender: Kid,
        id: MsgId,
    ) -> Result<Option<StoredRecord>, RequestError> {
        let Some(seq) = store::find(&*self.store, conv, id).await? else { return Ok(None) };
        let mut read = self.store.records(conv, seq.saturating_sub(1), 1).await?;
        Ok(read.pop().filter(|(_, frame)| is(frame, sender, id)))
    }
}

fn is(frame: &[u8], sender: Kid, id: MsgId) -> bool {
    let header = RecordView::parse(frame).and_then(|r| HeaderView::parse(r.body).ok());
    header.is_some_and(|(_, h)| h.msg_id() == id && h.sender() == sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_minutes_and_so_many_records() {
        let record = RecordView { seq: 10, at_ms: 1_000, body: &[] };
        let late = |last, now| in_time(&record, last, now).map_err(|e| e.code);
        assert_eq!(late(10, 1_000), Ok(()));
        assert_eq!(late(9 + LOOK_BACK, 1_000 + RECALL_MS), Ok(()));
        assert_eq!(late(10, 1_001 + RECALL_MS), Err(ErrorCode::TooLate));
        assert_eq!(late(10 + LOOK_BACK, 1_000), Err(ErrorCode::TooLate));
    }
}
