//! One frame of a client, as a call.

use std::{future::Future, net::IpAddr, pin::Pin, sync::Arc};

use bytes::Bytes;

use crate::{
    chat::{Opening, Posting, RejectedEnvelope, RequestError},
    hub::{Conn, Frame},
    proto::{ClientFrame, CloseCode, ConvId, ErrorCode, MAX_RESUME, MAX_TEXT, ServerFrame},
};

use super::{Http, frame_rate};

/// What happens after a message.
pub enum Next<'a> {
    /// The next one, at this cost (see [`frame_rate`]).
    Continue(u32),
    /// The end, with this code.
    Close(CloseCode),
    /// This decides, and the next message waits for it. Most messages need no waiting, so that an idle socket keeps no space
    /// for it.
    Wait(Pin<Box<dyn Future<Output = Result<u32, CloseCode>> + Send + 'a>>),
}

impl From<Result<u32, CloseCode>> for Next<'_> {
    fn from(decided: Result<u32, CloseCode>) -> Self {
        match decided {
            Ok(units) => Self::Continue(units),
            Err(code) => Self::Close(code),
        }
    }
}

/// Malformed frames a session may send before it is closed: enough for a mistake, too few for a flood.
const MAX_VIOLATIONS: u32 = 8;

/// Hands an envelope to the chat. Refusals go back through the outbox; only what no honest client sends ends the session.
pub fn envelope<'a>(http: &'a Http, conn: &'a Conn, address: IpAddr, bytes: Bytes) -> Next<'a> {
    match http.chat.post(conn, address, bytes) {
        Posting::Done(posted) => posted_units(http, conn, posted).into(),
        Posting::Waiting(waiting) => Next::Wait(Box::pin(async move { posted_units(http, conn, waiting.await) })),
    }
}

fn posted_units(http: &Http, conn: &Conn, posted: Result<(), RejectedEnvelope>) -> Result<u32, CloseCode> {
    // an envelope that was taken counts elsewhere
    let Err(RejectedEnvelope { refusal, conv, msg }) = posted else { return Ok(0) };
    http.metrics.refuse(refusal.code as u16);
    send_text(conn, &refusal.frame(None, conv, msg));
    patience(conn, &refusal)
}

/// Carries out a text frame.
pub fn text<'a>(http: &'a Http, conn: &'a Arc<Conn>, address: IpAddr, text: &[u8]) -> Next<'a> {
    if text.len() > MAX_TEXT {
        return Next::Close(CloseCode::Protocol);
    }
    let Ok(frame) = serde_json::from_slice::<ClientFrame>(text) else {
        let refusal = RequestError::new(ErrorCode::Malformed, "this text frame is not one of the protocol");
        send_text(conn, &refusal.frame(None, None, None));
        return patience(conn, &refusal).into();
    };
    let units = frame_rate::units(&frame);
    if let ClientFrame::Ping {} = frame {
        send_text(conn, &ServerFrame::Pong { now: http.org.now_ms() });
        return Next::Continue(units);
    }
    let (req, conv) = (request_of(&frame), conversation_of(&frame));
    Next::Wait(Box::pin(async move {
        match (control(http, conn, address, frame).await, req) {
            (Ok(cost), req) => {
                if let Some(req) = req {
                    send_text(conn, &ServerFrame::Ok { req });
                }
                Ok(units + cost)
            }
            (Err(refusal), req) => {
                http.metrics.refuse(refusal.code as u16);
                send_text(conn, &refusal.frame(req, conv, None));
                Ok(units)
            }
        }
    }))
}

fn patience(conn: &Conn, refusal: &RequestError) -> Result<u32, CloseCode> {
    let broken = matches!(
        refusal.code,
        ErrorCode::Malformed | ErrorCode::PlaintextRefused | ErrorCode::Unsupported | ErrorCode::TooLarge
    );
    // a full conversation is not a mistake of the sender
    if broken && refusal.limit.is_none() && conn.record_violation() > MAX_VIOLATIONS {
        return Err(CloseCode::Protocol);
    }
    Ok(1)
}

fn send_text(conn: &Conn, frame: &ServerFrame) {
    if let Ok(json) = serde_json::to_string(frame) {
        conn.outbox.push(Frame::text(json));
    }
}

/// Handles a frame; returns its cost beyond its [`frame_rate::units`].
async fn control(http: &Http, conn: &Arc<Conn>, address: IpAddr, frame: ClientFrame) -> Result<u32, RequestError> {
    use ClientFrame as F;
    let chat = &http.chat;
    let done = match frame {
        F::Hello { .. } => Err(RequestError::new(ErrorCode::Malformed, "this socket has already sent hello")),
        // answered before it comes here, without waiting
        F::Ping {} => Ok(()),
        F::Resume { convs } if convs.len() > MAX_RESUME => {
            Err(RequestError::new(ErrorCode::TooLarge, "resume names at most 64 conversations"))
        }
        F::Resume { convs } => {
            return chat.resume(conn, &convs).await.map(frame_rate::units_of_bytes);
        }
        F::Leave { conv } => {
            chat.leave(conn, conv);
            Ok(())
        }
        F::Open { id, nonce, site, x, ann, form, .. } => {
            let opening = Opening { id, nonce, site, ed: conn.ed, x, ann, form };
            chat.open(conn, address, opening).await
        }
        F::Typing { conv, on } => chat.typing(conn, conv, on).await,
        F::Seen { conv, delivered, read } => chat.seen(conn, conv, delivered, read).await,
        F::Recall { conv, msg, .. } => chat.recall(conn, address, conv, msg).await,
        F::Restore { conv, envelopes, .. } => chat.restore(conn, address, conv, &envelopes).await,
        F::Close { conv, reason, .. } => chat.close(conn, address, conv, reason).await,
        F::Rate { conv, stars, msg, .. } => chat.rate(conn, address, conv, stars, msg).await,
        F::Tag { conv, add, remove, .. } => chat.tag(conn, conv, &add, &remove).await,
        F::Priority { conv, priority, .. } => chat.set_priority(conn, conv, priority).await,
        F::Snooze { conv, until, .. } => chat.snooze(conn, conv, until).await,
        F::Block { conv, until, reason, .. } => chat.block(conn, conv, until, reason).await,
        F::Label { kind, label, .. } => chat.define_label(conn, kind, label).await,
        F::Reopen { conv, .. } => chat.reopen(conn, address, conv).await,
        F::Dismiss { conv, .. } => chat.dismiss(conn, conv).await,
        F::Mention { conv, users, .. } => chat.mention(conn, conv, users).await,
        F::Status { state, .. } => chat.set_status(conn, state).await,
        F::Accept { conv, .. } => chat.accept(conn, conv).await,
        F::Decline { conv, .. } => chat.decline(conn, conv),
        F::Take { conv, .. } => chat.take(conn, conv).await,
        F::Transfer { conv, agent, team, .. } => chat.transfer(conn, conv, agent, team).await,
    };
    done.map(|()| 0)
}

fn request_of(frame: &ClientFrame) -> Option<u64> {
    use ClientFrame as F;
    match frame {
        F::Open { req, .. }
        | F::Recall { req, .. }
        | F::Restore { req, .. }
        | F::Close { req, .. }
        | F::Rate { req, .. }
        | F::Tag { req, .. }
        | F::Priority { req, .. }
        | F::Snooze { req, .. }
        | F::Block { req, .. }
        | F::Label { req, .. }
        | F::Reopen { req, .. }
        | F::Dismiss { req, .. }
        | F::Mention { req, .. }
        | F::Status { req, .. }
        | F::Accept { req, .. }
        | F::Decline { req, .. }
        | F::Take { req, .. }
        | F::Transfer { req, .. } => Some(*req),
        F::Hello { .. } | F::Ping {} | F::Resume { .. } | F::Leave { .. } | F::Typing { .. } | F::Seen { .. } => None,
    }
}

fn conversation_of(frame: &ClientFrame) -> Option<ConvId> {
    use ClientFrame as F;
    match frame {
        F::Open { id: conv, .. }
        | F::Leave { conv }
        | F::Typing { conv, .. }
        | F::Seen { conv, .. }
        | F::Recall { conv, .. }
        | F::Restore { conv, .. }
        | F::Close { conv, .. }
        | F::Rate { conv, .. }
        | F::Tag { conv, .. }
        | F::Priority { conv, .. }
        | F::Snooze { conv, .. }
        | F::Block { conv, .. }
        | F::Reopen { conv, .. }
        | F::Dismiss { conv, .. }
        | F::Mention { conv, .. }
        | F::Accept { conv, .. }
        | F::Decline { conv, .. }
        | F::Take { conv, .. }
        | F::Transfer { conv, .. } => Some(*conv),
        F::Hello { .. } | F::Ping {} | F::Resume { .. } | F::Status { .. } | F::Label { .. } => None,
    }
}
