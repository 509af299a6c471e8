//! Taking a message back: its text leaves the store, its place and counter stay. And finding an envelope by its id, which
//! a resend needs, too.

use bytes::Bytes;

use crate::{
    hub::Conn,
    proto::{ConvId, ErrorCode, Event, HeaderView, Kid, Kind, MsgId, RECALL_MS, RecordView, tombstone},
    store::{Op, StoredRecord},
};

use super::{Chat, Refusal, cells::lock, close::append, now_ms};

/// How far back an envelope is looked for. Two minutes of one conversation are never more.
const LOOK_BACK: u64 = 500;
/// So many are read at once: most are found in the first step.
const STEP: u64 = 50;

impl Chat {
    /// Recalls one's own message within two minutes of its commit.
    pub async fn recall(&self, conn: &Conn, conv: ConvId, msg: MsgId) -> Result<(), Refusal> {
        if !self.sees(&conn.who, &lock(&*self.must_cell(conv)?)) {
            return Err(Refusal::not_found());
        }
        let none = || Refusal::new(ErrorCode::NotFound, "there is no such message of yours");
        let (seq, frame) = self.find(conv, conn.who.kid(), msg).await?.ok_or_else(none)?;
        let record = RecordView::parse(&frame).ok_or_else(none)?;
        let kind = HeaderView::parse(record.body).map_err(|_| none())?.0;
        if matches!(kind, Kind::Tombstone | Kind::NoteTombstone) {
            return Ok(());
        }
        let left: Bytes = tombstone(record.body).ok_or_else(none)?.into();
        if now_ms().saturating_sub(record.at_ms) > RECALL_MS {
            return Err(Refusal::new(ErrorCode::TooLate, "messages can be recalled within two minutes"));
        }
        let note = kind == Kind::Note;
        self.change(conv, |chat, cell, batch| {
            // it may have gone to another team meanwhile
            if !chat.sees(&conn.who, cell) {
                return Err(Refusal::not_found());
            }
            let by = conn.who.user().map_or_else(|| "visitor".into(), ToString::to_string);
            batch.ops.push(Op::Redact { seq, body: left.clone() });
            batch.ops.push(append(cell, &Event::Recalled { seq, msg, by, note }));
            Ok(None)
        })
        .await
    }

    /// The envelope of this sender with this id, among the newest. Reads where it delays no socket.
    pub(super) async fn find(&self, conv: ConvId, sender: Kid, id: MsgId) -> Result<Option<StoredRecord>, Refusal> {
        let (store, last) = (self.store.clone(), lock(&*self.must_cell(conv)?).last);
        let look = move || {
            let (mut end, floor) = (last, last.saturating_sub(LOOK_BACK));
            while end > floor {
                let begin = end.saturating_sub(STEP).max(floor);
                let read = store.records(conv, begin, (end - begin) as usize)?;
                let found = read.into_iter().rev().find(|(_, frame)| is(frame, sender, id));
                if found.is_some() {
                    return Ok(found);
                }
                end = begin;
            }
            Ok(None)
        };
        let stopping = |_| Err(Refusal::new(ErrorCode::Storage, "the server is stopping; try again"));
        tokio::task::spawn_blocking(look).await.unwrap_or_else(stopping)
    }
}

fn is(frame: &[u8], sender: Kid, id: MsgId) -> bool {
    let header = RecordView::parse(frame).and_then(|r| HeaderView::parse(r.body).ok());
    header.is_some_and(|(_, h)| h.msg_id() == id && h.sender() == sender)
}
