//! An agent names colleagues in a note: they are told that they were, by whom and where. What the note says is sealed; of the names in
//! it the server learns only these. Nothing is stored: who is away finds the note.

use std::sync::OnceLock;

use crate::{
    hub::{Audience, Conn, Topic},
    proto::{ConvId, ErrorCode, ServerFrame, UserId},
};

use super::{Chat, RequestError};

/// Colleagues that one note may name.
const MOST: usize = 20;

impl Chat {
    /// Tells colleagues of the conversation's team, whichever server they are at.
    pub async fn mention(&self, conn: &Conn, conv: ConvId, users: Vec<UserId>) -> Result<(), RequestError> {
        let by = self.require_agent(conn)?.user.clone();
        if users.len() > MOST {
            return Err(RequestError::new(ErrorCode::TooLarge, "a note names at most 20 colleagues"));
        }
        self.limits.agent_message(&by, self.now_ms()).map_err(|l| self.limited(l))?;
        let team = OnceLock::new();
        self.cache
            .change(conv, |conversation, _| {
                if !self.sees(&conn.who, conversation) {
                    return Err(RequestError::not_found());
                }
                let _ = team.set(conversation.row.team.clone());
                Ok(None)
            })
            .await?;
        for user in users.into_iter().filter(|user| *user != by) {
            // nobody hears of a conversation that they may not see
            if self.agent(&user).is_some_and(|a| team.get().is_some_and(|team| a.teams.contains(team))) {
                self.tell(&Topic::User(user), Audience::Everyone, &ServerFrame::Mention { conv, by: by.clone() });
            }
        }
        Ok(())
    }
}
