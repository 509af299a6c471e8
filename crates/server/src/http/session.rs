//! The socket task: proves who is there, then turns frames into calls and writes what the outbox holds.
//!
//! One task a socket, no second one for writing: everything that waits is written at once. The hub says when a socket was silent for
//! a heartbeat; a peer that is silent for two is gone.

use std::{collections::VecDeque, future::poll_fn, net::IpAddr, sync::Arc, task::Poll, time::Duration};

use ring::rand::{SecureRandom, SystemRandom};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::tungstenite::protocol::frame::coding::Control;

use crate::{
    crypto::{codec, hash, sign},
    hub::{Conn, Drained, Frame, Who},
    net::Permit,
    proto::{ClientFrame, CloseCode, MAX_ENVELOPE, MAX_TEXT, ServerFrame},
};

use super::{
    Http,
    frame::{self, Next},
    frame_rate::FrameRateLimiter,
    socket_kind::SocketKind,
    websocket::{Message, ReadError, WebSocket},
};

/// How long a client may take to answer the challenge.
const HELLO: Duration = Duration::from_secs(10);
/// Protocol version of `hello`.
const VERSION: u32 = 1;
/// How long a close frame may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long everything that waits may take to a peer that reads slowly. One that takes nothing is gone sooner, see
/// [`super::progress`].
const WRITE: Duration = Duration::from_mins(1);

/// Spawns the session.
pub fn start<S>(http: Arc<Http>, io: S, read: &[u8], kind: SocketKind, address: IpAddr, permit: Permit)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // made outside: what moves into a task has its place there twice
    let mut socket = WebSocket::new(io, read, MAX_ENVELOPE + 1024);
    tokio::spawn(async move {
        // held as long as the socket is
        let _permit = &permit;
        // the handshake's future is large and short-lived: boxed, it does not stay in the task
        let end = match Box::pin(handshake(&http, &mut socket, kind)).await {
            Ok(conn) => {
                let sockets = match conn.who {
                    Who::Visitor { .. } => &http.metrics.visitors,
                    Who::Agent { .. } => &http.metrics.agents,
                };
                sockets.inc();
                let _present = PresenceGuard { http: &http, conn: &conn };
                live(&http, &mut socket, &conn, address).await
            }
            Err(end) => end,
        };
        let (name, farewell) = match end {
            End::Refused(code) => {
                (code.reason(), Some([&(code as u16).to_be_bytes(), code.reason().as_bytes()].concat()))
            }
            End::Left(code) => ("gone", Some(code.map_or_else(Vec::new, Vec::from))),
            End::Gone => ("gone", None),
        };
        http.metrics.socket_closed(name);
        if let Some(payload) = farewell {
            socket.queue(Control::Close, &payload);
            let _ = Box::pin(timeout(FAREWELL, socket.finish())).await;
        }
    });
}

/// Signs the socket out however its session ends, by a panic too: an agent who is gone must not seem to be there.
struct PresenceGuard<'a> {
    http: &'a Http,
    conn: &'a Conn,
}

impl Drop for PresenceGuard<'_> {
    fn drop(&mut self) {
        match self.conn.who {
            Who::Visitor { .. } => self.http.metrics.visitors.dec(),
            Who::Agent { .. } => self.http.metrics.agents.dec(),
        }
        self.http.chat.disconnected(self.conn);
    }
}

/// How a session ends.
enum End {
    /// By the server, with a code for the peer.
    Refused(CloseCode),
    /// By the peer, who is told that this was heard.
    Left(Option<[u8; 2]>),
    /// The peer vanished.
    Gone,
}

impl From<CloseCode> for End {
    fn from(code: CloseCode) -> Self {
        Self::Refused(code)
    }
}

impl From<ReadError> for End {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Gone => Self::Gone,
            ReadError::Violation => Self::Refused(CloseCode::Protocol),
        }
    }
}

/// Sends the challenge and checks the hello.
async fn handshake<S>(http: &Http, socket: &mut WebSocket<S>, kind: SocketKind) -> Result<Arc<Conn>, End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut nonce = [0; 32];
    SystemRandom::new().fill(&mut nonce).map_err(|_| CloseCode::GoingAway)?;
    let org = http.org.fp();
    let challenge = ServerFrame::Challenge { nonce: codec::b64u(&nonce), org: org.to_string(), now: http.org.now_ms() };
    write(socket, [text(&challenge)?].into()).await?;
    let message = timeout(HELLO, poll_fn(|cx| socket.poll_read(cx))).await.map_err(|_| CloseCode::Silent)??;
    let hello = match message {
        Message::Text(text) if text.len() <= MAX_TEXT => serde_json::from_slice(&text),
        Message::Close(code) => return Err(End::Left(code)),
        _ => return Err(CloseCode::Protocol.into()),
    };
    let Ok(ClientFrame::Hello { v, ed, sig, rev }) = hello else { return Err(CloseCode::Protocol.into()) };
    if v != VERSION {
        return Err(CloseCode::Unsupported.into());
    }
    let (who, ed) = identify(http, &kind, &nonce, &ed, &sig).ok_or(CloseCode::Unauthorised)?;
    let token = http.tokens.issue(&who, http.org.now_ms());
    let conn = http.chat.hub().connect(who, ed, rev.unwrap_or(1));
    match http.chat.welcome(&conn, token).await {
        Ok(welcome) => {
            // with what the greeting left in the outbox: one write
            let mut frames = conn.outbox.drain().frames;
            let greeted = async {
                frames.push_front(text(&welcome)?);
                write(socket, frames).await
            };
            match greeted.await {
                Ok(()) => Ok(conn),
                Err(end) => {
                    http.chat.disconnected(&conn);
                    Err(end)
                }
            }
        }
        Err(e) => {
            tracing::warn!(error = %e, "a socket could not be greeted");
            http.chat.disconnected(&conn);
            Err(CloseCode::GoingAway.into())
        }
    }
}

/// The identity that a signed challenge proves, and the key that signed it.
fn identify(http: &Http, kind: &SocketKind, nonce: &[u8; 32], ed: &str, sig: &str) -> Option<(Who, [u8; 32])> {
    let ed: [u8; 32] = codec::from_b64u_exact(ed).ok()?;
    let sig = codec::from_b64u(sig).ok()?;
    let role = match kind {
        SocketKind::Agent => 1,
        SocketKind::Visitor(_) => 2,
    };
    let signed = [&nonce[..], &http.org.fp().0, &[role]].concat();
    // refuses weak keys, too
    sign::verify(sign::Label::Auth, &ed, &signed, &sig).ok()?;
    let kid = hash::kid(&ed);
    let who = match kind {
        SocketKind::Visitor(site) => Who::Visitor { kid, site: site.clone() },
        SocketKind::Agent => Who::Agent { kid, user: http.org.agent_by_ed(&ed)?.user },
    };
    Some((who, ed))
}

fn text(frame: &ServerFrame) -> Result<Frame, End> {
    serde_json::to_string(frame).map(Frame::text).map_err(|_| CloseCode::GoingAway.into())
}

/// What a session waits for.
enum Wake {
    /// Frames to write.
    Outbox(Drained),
    /// A message, or the end of them.
    Read(Result<Message, ReadError>),
}

/// Reads and writes until one side ends it.
async fn live<S>(http: &Http, socket: &mut WebSocket<S>, conn: &Arc<Conn>, address: IpAddr) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut pinged = false;
    let mut pace = FrameRateLimiter::new(Instant::now());
    loop {
        let wake = poll_fn(|cx| match conn.outbox.poll_drain(cx) {
            Poll::Ready(drained) => Poll::Ready(Wake::Outbox(drained)),
            Poll::Pending => socket.poll_read(cx).map(Wake::Read),
        });
        match wake.await {
            Wake::Outbox(Drained { frames, close, beat }) => {
                if beat && std::mem::replace(&mut pinged, true) {
                    return CloseCode::Silent.into();
                }
                if beat {
                    socket.queue(Control::Ping, &[]);
                }
                if let Err(end) = write(socket, frames).await {
                    return end;
                }
                if let Some(code) = close {
                    return code.into();
                }
            }
            Wake::Read(read) => {
                conn.heard();
                pinged = false;
                let next = match read {
                    Ok(Message::Binary(envelope)) => frame::envelope(http, conn, address, envelope),
                    Ok(Message::Text(text)) => frame::text(http, conn, address, &text),
                    Ok(Message::Ping(payload)) => {
                        socket.queue(Control::Pong, &payload);
                        if let Err(end) = write(socket, VecDeque::new()).await {
                            return end;
                        }
                        Next::Continue(1)
                    }
                    Ok(Message::Pong) => Next::Continue(1),
                    Ok(Message::Close(code)) => return End::Left(code),
                    Err(e) => return e.into(),
                };
                let units = match next {
                    Next::Continue(units) => units,
                    Next::Close(code) => return code.into(),
                    Next::Wait(waiting) => match waiting.await {
                        Ok(units) => units,
                        Err(code) => return code.into(),
                    },
                };
                if units > 0
                    && let Some(pause) = pace.take(units, Instant::now())
                {
                    Box::pin(sleep(pause)).await;
                }
            }
        }
    }
}

/// Writes these frames and what waits already. Most of the time the stream takes all of it at once; only what has to wait needs
/// a timer.
async fn write<S>(socket: &mut WebSocket<S>, mut frames: VecDeque<Frame>) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let written = match poll_fn(|cx| Poll::Ready(socket.poll_write(cx, &mut frames))).await {
        Poll::Ready(written) => written,
        // boxed: an idle socket keeps no space for it
        Poll::Pending => match Box::pin(timeout(WRITE, poll_fn(|cx| socket.poll_write(cx, &mut frames)))).await {
            Ok(written) => written,
            Err(_) => return Err(End::Gone),
        },
    };
    written.map_err(|_| End::Gone)
}
