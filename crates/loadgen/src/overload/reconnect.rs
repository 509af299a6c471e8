//! How a client of an overload comes back after a lost connection: what it missed is read, and what was not acknowledged is sent
//! again.

use std::rc::Rc;

use kefu_client::{ClientError, Reader, Writer, http::Connection};
use kefu_proto::{ClientFrame, Have, ServerFrame};

use super::conversation::Conversation;
use crate::{connect::welcomed, error::LoadError, history::page, pair};

impl Conversation {
    /// Connects again and gets what was missed.
    pub(super) async fn come_back(self: &Rc<Self>, who: usize) -> Result<(Reader, Writer), String> {
        let client = &self.clients[who];
        let (welcome, mut reader, writer) =
            welcomed(&self.target, &client.endpoint, &client.key, 0).await.map_err(|e| why(e.into()))?;
        let Ok(ServerFrame::Welcome { token, .. }) = serde_json::from_slice(&welcome) else {
            return Err("no welcome".to_owned());
        };
        loop {
            pair::send(&writer, &ClientFrame::Resume { convs: vec![Have::upto(self.conv, client.have.get())] })
                .map_err(why)?;
            let answered = |frame| match frame {
                ServerFrame::Synced { .. } => Some(Ok(None)),
                ServerFrame::Behind { last, .. } => Some(Ok::<_, LoadError>(Some(last))),
                _ => None,
            };
            let record = |payload: &[u8]| {
                self.record(who, payload);
            };
            let Some(last) = reader.wait(record, answered).await.map_err(why)? else { break };
            tokio::select! {
                read = self.read_up_to(who, last, &token) => read.map_err(why)?,
                // who does not read meanwhile is too slow
                end = self.listen(who, &mut reader, true) => return Err(end),
            }
        }
        client.control.borrow_mut().clear();
        client.outgoing.borrow_mut().begin_again();
        Ok((reader, writer))
    }

    /// Reads the records up to `last` over HTTP.
    async fn read_up_to(&self, who: usize, last: u64, token: &str) -> Result<(), LoadError> {
        let mut http = Connection::open(&self.target.address).await?;
        let have = &self.clients[who].have;
        let record = |frame: &[u8]| {
            self.record(who, frame);
        };
        while have.get() < last && page(&mut http, token, self.conv, have.get(), record).await? > 0 {}
        Ok(())
    }
}

/// Why a client could not come back: the code with which it was closed, or in words.
fn why(e: LoadError) -> String {
    match e {
        LoadError::Client(ClientError::Closed(Some(code))) => code.to_string(),
        e => e.to_string(),
    }
}
