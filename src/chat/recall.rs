//! Taking a message back: its text leaves the store, its place and counter stay.

use crate::{
    hub::Conn,
    proto::{ConvId, ErrorCode, Event, HeaderView, Kind, MsgId, RECALL_MS, RecordView, tombstone},
    store::Op,
};

use super::{Chat, Refusal, close::append, now_ms};

/// How far back a message is looked for. Two minutes of one conversation are never more.
const LOOK_BACK: u64 = 500;

impl Chat {
    /// Recalls one's own message within two minutes of its commit.
    pub async fn recall(&self, conn: &Conn, conv: ConvId, msg: MsgId) -> Result<(), Refusal> {
        self.change(conv, |chat, cell, batch| {
            if !chat.sees(&conn.who, cell) {
                return Err(Refusal::not_found());
            }
            let found = chat.store.records(conv, cell.last.saturating_sub(LOOK_BACK), LOOK_BACK as usize)?;
            for (seq, frame) in found.iter().rev() {
                let Some(record) = RecordView::parse(frame) else { continue };
                let Ok((kind, header)) = HeaderView::parse(record.body) else { continue };
                if header.msg_id() != msg || header.sender() != conn.who.kid() {
                    continue;
                }
                if matches!(kind, Kind::Tombstone | Kind::NoteTombstone) {
                    return Ok(None);
                }
                let Some(left) = tombstone(record.body) else { break };
                if now_ms().saturating_sub(record.at_ms) > RECALL_MS {
                    return Err(Refusal::new(ErrorCode::TooLate, "messages can be recalled within two minutes"));
                }
                let by = conn.who.user().map_or_else(|| "visitor".into(), ToString::to_string);
                batch.ops.push(Op::Redact { seq: *seq, body: left.into() });
                batch.ops.push(append(cell, &Event::Recalled { seq: *seq, msg, by }));
                return Ok(None);
            }
            Err(Refusal::new(ErrorCode::NotFound, "there is no such message of yours"))
        })
        .await
    }
}
