//! One frame of a client, as a call.

use std::{net::IpAddr, ops::ControlFlow, sync::Arc};

use tokio_tungstenite::tungstenite::Message;

use crate::{
    chat::{Opening, RequestError},
    hub::{Conn, Frame},
    proto::{ClientFrame, CloseCode, ConvId, ErrorCode, MAX_RESUME, MAX_TEXT, ServerFrame},
};

use super::{Http, frame_rate};

/// What happens next: continue (with the cost, see [`frame_rate`]), or end the session.
type Next = ControlFlow<Option<CloseCode>, u32>;

/// Malformed frames a session may send before it is closed: enough for a mistake, too few for a flood.
const MAX_VIOLATIONS: u32 = 8;

/// Carries out one WebSocket message. Refusals go back through the outbox; only what no honest client sends ends the
/// session.
pub async fn handle(http: &Arc<Http>, conn: &Arc<Conn>, address: IpAddr, message: Message) -> Next {
    let mut units = 1;
    match message {
        Message::Binary(bytes) => {
            if let Err(refused) = http.chat.post(conn, address, bytes).await {
                http.metrics.refuse(refused.refusal.code as u16);
                send_text(conn, &refused.refusal.frame(None, refused.conv, refused.msg));
                return patience(conn, &refused.refusal);
            }
            units = 0;
        }
        Message::Text(text) if text.len() > MAX_TEXT => return ControlFlow::Break(Some(CloseCode::Protocol)),
        Message::Text(text) => match serde_json::from_str::<ClientFrame>(&text) {
            Ok(frame) => {
                units = frame_rate::units(&frame);
                let (req, conv) = (request_of(&frame), conversation_of(&frame));
                // requests are rare and their futures large: boxed, they cost an idle socket nothing
                let outcome = Box::pin(control(http, conn, address, frame)).await;
                match (outcome, req) {
                    (Ok(cost), Some(req)) => {
                        units += cost;
                        send_text(conn, &ServerFrame::Ok { req });
                    }
                    (Ok(cost), None) => units += cost,
                    (Err(refusal), _) => {
                        http.metrics.refuse(refusal.code as u16);
                        send_text(conn, &refusal.frame(req, conv, None));
                    }
                }
            }
            Err(_) => {
                let refusal = RequestError::new(ErrorCode::Malformed, "this text frame is not one of the protocol");
                send_text(conn, &refusal.frame(None, None, None));
                return patience(conn, &refusal);
            }
        },
        Message::Close(_) => return ControlFlow::Break(None),
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
    }
    ControlFlow::Continue(units)
}

fn patience(conn: &Conn, refusal: &RequestError) -> Next {
    let broken = matches!(
        refusal.code,
        ErrorCode::Malformed | ErrorCode::PlaintextRefused | ErrorCode::Unsupported | ErrorCode::TooLarge
    );
    // a full conversation is not a mistake of the sender
    if broken && refusal.limit.is_none() && conn.record_violation() > MAX_VIOLATIONS {
        return ControlFlow::Break(Some(CloseCode::Protocol));
    }
    ControlFlow::Continue(1)
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
        F::Ping {} => {
            send_text(conn, &ServerFrame::Pong { now: http.org.now_ms() });
            Ok(())
        }
        F::Resume { convs } if convs.len() > MAX_RESUME => {
            Err(RequestError::new(ErrorCode::TooLarge, "resume names at most 64 conversations"))
        }
        F::Resume { convs } => {
            // reads the disk, for all clients at once after a restart: not on the threads that serve the other sockets
            let (chat, conn) = (chat.clone(), conn.clone());
            let resumed = tokio::task::spawn_blocking(move || chat.resume(&conn, &convs)).await;
            let stopping = |_| Err(RequestError::new(ErrorCode::Storage, "the server could not read; try again"));
            return resumed.unwrap_or_else(stopping).map(frame_rate::units_of_bytes);
        }
        F::Leave { conv } => {
            chat.leave(conn, conv);
            Ok(())
        }
        F::Open { id, nonce, site, x, ann, form, .. } => {
            let opening = Opening { id, nonce, site, ed: conn.ed, x, ann, form };
            chat.open(conn, address, opening).await
        }
        F::Typing { conv, on } => chat.typing(conn, conv, on),
        F::Seen { conv, delivered, read } => chat.seen(conn, conv, delivered, read),
        F::Recall { conv, msg, .. } => chat.recall(conn, address, conv, msg).await,
        F::Restore { conv, envelopes, .. } => chat.restore(conn, address, conv, &envelopes).await,
        F::Close { conv, .. } => chat.close(conn, address, conv).await,
        F::Reopen { conv, .. } => chat.reopen(conn, address, conv).await,
        F::Dismiss { conv, .. } => chat.dismiss(conn, conv).await,
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
        | F::Reopen { req, .. }
        | F::Dismiss { req, .. }
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
        | F::Reopen { conv, .. }
        | F::Dismiss { conv, .. }
        | F::Accept { conv, .. }
        | F::Decline { conv, .. }
        | F::Take { conv, .. }
        | F::Transfer { conv, .. } => Some(*conv),
        F::Hello { .. } | F::Ping {} | F::Resume { .. } | F::Status { .. } => None,
    }
}
