//! Announcements that the log lost: a backup was put back, and a client still has them.
//!
//! Any member may hand them back; each is as valid as its maker's signature: it must follow the last stored epoch
//! and be one that its maker could have made then.

use crate::{
    crypto::{codec, hash},
    hub::{Conn, Who},
    proto::{AnnouncementView, ConvId, ErrorCode, HeaderView, Kid, Kind, MAX_RESTORE},
    store::{self, Op},
};

use super::{
    Address, Chat, RequestError,
    announce::{Came, Maker, key},
    conversation::CachedConversation,
    members,
    post::cost,
};

impl Chat {
    /// Takes announcements back, oldest first; those that are here are skipped.
    pub async fn restore(
        &self,
        conn: &Conn,
        address: Address,
        conv: ConvId,
        envelopes: &[String],
    ) -> Result<(), RequestError> {
        if envelopes.len() > MAX_RESTORE {
            return Err(RequestError::new(ErrorCode::TooLarge, "too many announcements at once"));
        }
        let shared = self.cache.require(conv).await?;
        if !self.sees(&conn.who, &shared.lock()) {
            return Err(RequestError::not_found());
        }
        self.has_room_for(conn, envelopes.iter().map(String::len).sum())?;
        for text in envelopes {
            let bytes = codec::from_b64u(text).map_err(|e| RequestError::new(ErrorCode::Malformed, e.to_string()))?;
            self.restore_one(conn, address, conv, &bytes).await?;
        }
        Ok(())
    }

    async fn restore_one(&self, conn: &Conn, address: Address, conv: ConvId, bytes: &[u8]) -> Result<(), RequestError> {
        let (kind, header) = HeaderView::parse(bytes)?;
        if kind != Kind::Announcement || header.conv() != conv {
            return Err(RequestError::malformed("only announcements of this conversation can be handed back"));
        }
        if store::find(&*self.store, conv, header.msg_id()).await?.is_some() {
            return Ok(());
        }
        match &conn.who {
            Who::Visitor { .. } => self.charge(conn, address, cost(kind, bytes.len()))?,
            Who::Agent { user, .. } => {
                self.limits.agent_message(user, self.now_ms()).map_err(|l| self.limited(l))?;
            }
        }
        let (id, sender) = (header.msg_id(), header.sender());
        let written = self.cache.change(conv, |conversation, batch| {
            if !self.sees(&conn.who, conversation) {
                return Err(RequestError::not_found());
            }
            if conversation.row.ann == data_encoding::HEXLOWER.encode(&hash::announcement(bytes)) {
                return Ok(None);
            }
            let maker = self.maker_then(conversation, sender, AnnouncementView::parse(bytes)?.dir_seq())?;
            let (row, event) = self.next_epoch(conversation, bytes, &maker, Came::Again)?;
            batch.ops.push(Op::Append { id, body: bytes.to_vec().into() });
            batch.ops.extend(event.map(|event| super::close::append(conversation, &event)));
            Ok(Some(row))
        });
        match written.await {
            // another member handed it back at the same moment
            Err(e) if e.code == ErrorCode::Conflict && store::find(&*self.store, conv, id).await?.is_some() => Ok(()),
            other => other,
        }
    }

    /// Whose key this was at entry `seq`.
    fn maker_then(&self, conversation: &CachedConversation, sender: Kid, seq: u32) -> Result<Maker, RequestError> {
        if sender == conversation.visitor {
            return Ok(Maker { ed: key(&conversation.row.ed)?, user: None });
        }
        let (user, ed) = members::agent_then(&self.org.directory(), &sender, seq).ok_or_else(|| {
            RequestError::new(ErrorCode::Forbidden, "at that time, nobody with the right to announce had this key")
        })?;
        Ok(Maker { ed, user: Some(user) })
    }
}
