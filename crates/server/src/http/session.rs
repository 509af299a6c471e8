//! The socket task: proves who is there, then turns frames into calls and writes what the outbox holds.
//!
//! One task a socket, no second one for writing: everything that waits is written with one flush. A peer that is silent
//! for two heartbeats is gone.

use std::{collections::VecDeque, net::IpAddr, ops::ControlFlow, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message, Utf8Bytes,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode as WsCode},
    },
};

use crate::{
    chat::RequestError,
    crypto::{codec, hash, sign},
    hub::{Conn, Frame, Who},
    net::Permit,
    proto::{BEAT_MS, ClientFrame, CloseCode, ErrorCode, MAX_ENVELOPE, MAX_TEXT, ServerFrame},
};

use super::{Http, frame, frame_rate::FrameRateLimiter, socket_kind::SocketKind};

/// How long a client may take to answer the challenge.
const HELLO: Duration = Duration::from_secs(10);
/// Protocol version of `hello`.
const VERSION: u32 = 1;
/// How long a close frame may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long everything that waits may take to a peer that reads slowly. One that takes nothing is gone sooner, see
/// [`super::progress`].
const WRITE: Duration = Duration::from_mins(1);

type Socket<S> = WebSocketStream<S>;

/// Spawns the session.
pub fn start<S>(http: Arc<Http>, io: S, read: Bytes, kind: SocketKind, address: IpAddr, permit: Permit)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // boxed, and made outside: the task keeps space for everything that it ever held, and these are several times the size of
    // what an idle socket needs
    let opening = Box::pin(open(io, read));
    tokio::spawn(async move {
        let _permit = permit;
        let mut socket = opening.await;
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
        http.metrics.socket_closed(end.map_or("gone", CloseCode::reason));
        if let Some(code) = end {
            let frame = CloseFrame { code: WsCode::from(code as u16), reason: Utf8Bytes::from_static(code.reason()) };
            let _ = timeout(FAREWELL, Box::pin(close_gracefully(&mut socket, frame))).await;
        }
    });
}

async fn open<S: AsyncRead + AsyncWrite + Unpin>(io: S, read: Bytes) -> Socket<S> {
    // small buffers: an idle socket should cost no more than it must
    let config = WebSocketConfig::default()
        .read_buffer_size(512)
        .write_buffer_size(16 * 1024)
        .max_write_buffer_size(512 * 1024)
        .max_message_size(Some(MAX_ENVELOPE + 1024))
        .max_frame_size(Some(MAX_ENVELOPE + 1024));
    if read.is_empty() {
        Socket::from_raw_socket(io, Role::Server, Some(config)).await
    } else {
        Socket::from_partially_read(io, read.to_vec(), Role::Server, Some(config)).await
    }
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

/// Sends the reason, then reads until the peer hangs up: a socket that is closed with unread bytes in it is reset, and the peer
/// would lose the reason.
async fn close_gracefully<S>(socket: &mut Socket<S>, frame: CloseFrame)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let _ = socket.close(Some(frame)).await;
    let io = socket.get_mut();
    let mut unread = [0; 1024];
    if io.shutdown().await.is_ok() {
        while matches!(io.read(&mut unread).await, Ok(1..)) {}
    }
}

/// How a session ends: with a code for the peer, or none if the peer is gone.
type End = Option<CloseCode>;

/// Sends the challenge and checks the hello.
async fn handshake<S>(http: &Http, socket: &mut Socket<S>, kind: SocketKind) -> Result<Arc<Conn>, End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut nonce = [0; 32];
    SystemRandom::new().fill(&mut nonce).map_err(|_| Some(CloseCode::GoingAway))?;
    let org = http.org.fp();
    let challenge = ServerFrame::Challenge { nonce: codec::b64u(&nonce), org: org.to_string(), now: http.org.now_ms() };
    send_text(socket, &challenge).await?;
    let message = timeout(HELLO, socket.next()).await.map_err(|_| Some(CloseCode::Silent))?;
    let hello = match message {
        Some(Ok(Message::Text(text))) if text.len() <= MAX_TEXT => serde_json::from_str(&text),
        Some(Ok(_)) => return Err(Some(CloseCode::Protocol)),
        Some(Err(e)) => return Err(end_of(&e)),
        None => return Err(None),
    };
    let Ok(ClientFrame::Hello { v, ed, sig, rev }) = hello else { return Err(Some(CloseCode::Protocol)) };
    if v != VERSION {
        return Err(Some(CloseCode::Unsupported));
    }
    let (who, ed) = identify(http, &kind, &nonce, &ed, &sig).ok_or(Some(CloseCode::Unauthorised))?;
    let token = http.tokens.issue(&who, http.org.now_ms());
    let conn = http.chat.hub().connect(who, ed, rev.unwrap_or(1));
    // reads the disk, for all clients at once after a restart: not on the threads that serve the other sockets
    let (chat, newcomer) = (http.chat.clone(), conn.clone());
    let welcomed = tokio::task::spawn_blocking(move || chat.welcome(&newcomer, token)).await;
    let stopping = |_| Err(RequestError::new(ErrorCode::Storage, "the server is stopping"));
    match welcomed.unwrap_or_else(stopping) {
        Ok(welcome) => match send_text(socket, &welcome).await {
            Ok(()) => Ok(conn),
            Err(end) => {
                http.chat.disconnected(&conn);
                Err(end)
            }
        },
        Err(e) => {
            tracing::warn!(error = %e, "a socket could not be greeted");
            http.chat.disconnected(&conn);
            Err(Some(CloseCode::GoingAway))
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

async fn send_text<S>(socket: &mut Socket<S>, frame: &ServerFrame) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let json = serde_json::to_string(frame).map_err(|_| Some(CloseCode::GoingAway))?;
    match timeout(WRITE, socket.send(Message::text(json))).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(None),
    }
}

/// Reads and writes until one side ends it.
async fn live<S>(http: &Arc<Http>, socket: &mut Socket<S>, conn: &Arc<Conn>, address: IpAddr) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    const BEAT: Duration = Duration::from_millis(BEAT_MS);
    let mut heard = Instant::now();
    let mut pinged = false;
    let mut pace = FrameRateLimiter::new(heard);
    // one timer for the life of the socket: a message does not move it, it is looked at when it fires
    let beat = sleep_until(heard + BEAT);
    tokio::pin!(beat);
    loop {
        tokio::select! {
            biased;
            () = conn.outbox.ready() => {
                let drained = conn.outbox.drain();
                if !matches!(timeout(WRITE, write_all(socket, drained.frames)).await, Ok(Ok(()))) {
                    return None;
                }
                if drained.close.is_some() {
                    return drained.close;
                }
            }
            message = socket.next() => {
                heard = Instant::now();
                if std::mem::take(&mut pinged) {
                    beat.as_mut().reset(heard + BEAT);
                }
                match message {
                    None => return None,
                    Some(Err(e)) => return end_of(&e),
                    Some(Ok(message)) => {
                        match frame::handle(http, conn, address, message).await {
                            ControlFlow::Break(end) => return end,
                            ControlFlow::Continue(units) => {
                                if let Some(pause) = pace.take(units, Instant::now()) {
                                    sleep(pause).await;
                                }
                            }
                        }
                    }
                }
            }
            () = &mut beat => {
                if pinged {
                    return Some(CloseCode::Silent);
                }
                if heard + BEAT > Instant::now() {
                    beat.as_mut().reset(heard + BEAT);
                    continue;
                }
                pinged = true;
                beat.as_mut().reset(heard + 2 * BEAT);
                if !matches!(timeout(WRITE, socket.send(Message::Ping(Bytes::new()))).await, Ok(Ok(()))) {
                    return None;
                }
            }
        }
    }
}

/// Everything that waits, with one flush.
async fn write_all<S>(socket: &mut Socket<S>, frames: VecDeque<Frame>) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    for frame in frames {
        let message = match frame {
            Frame::Record(bytes) => Message::Binary(bytes),
            Frame::Text(bytes) => match Utf8Bytes::try_from(bytes) {
                Ok(text) => Message::Text(text),
                Err(_) => continue, // only our own JSON comes here, and that is UTF-8
            },
        };
        socket.feed(message).await?;
    }
    socket.flush().await
}

fn end_of(error: &Error) -> End {
    match error {
        Error::Capacity(_) | Error::Protocol(_) | Error::Utf8(_) => Some(CloseCode::Protocol),
        _ => None,
    }
}
