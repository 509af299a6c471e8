//! How a conversation went, as its visitor says after the close. The stars are readable by the server, which counts them; the words are a
//! message like any other, named beforehand by its id, so that it doesn't open the conversation again.

use crate::{
    hub::Conn,
    proto::{ConvId, ConvState, ErrorCode, Event, MsgId},
};

use super::{
    Act, Address, Chat, RequestError,
    close::append,
    row::{Rating, Row},
};

/// The best.
const MOST: u8 = 5;

impl Chat {
    /// Rates a closed conversation, or changes that. `remark`: the id that the message with the words will have.
    pub async fn rate(
        &self,
        conn: &Conn,
        address: Address,
        conv: ConvId,
        stars: u8,
        remark: Option<MsgId>,
    ) -> Result<(), RequestError> {
        if !(1..=MOST).contains(&stars) {
            return Err(RequestError::malformed("a rating is 1 to 5 stars"));
        }
        self.charge(conn, address, Act { changes: 1, records: 1, ..Act::default() })?;
        self.cache
            .change(conv, |conversation, batch| {
                if conn.who.user().is_some() || conversation.visitor != conn.who.kid() {
                    return Err(RequestError::not_found());
                }
                let rating = Some(Rating { stars, remark });
                // a request repeated after a lost connection
                if conversation.row.rating == rating {
                    return Ok(None);
                }
                if conversation.row.state != ConvState::Closed {
                    return Err(RequestError::new(ErrorCode::Conflict, "a conversation is rated after it was closed"));
                }
                self.has_room_for(conn, 0)?;
                self.limits.conversation(conversation.bytes, conversation.last, false).map_err(|l| self.limited(l))?;
                batch.ops.push(append(conversation, &Event::Rated { stars }));
                Ok(Some(Row { rating, ..conversation.row.clone() }))
            })
            .await
    }
}
