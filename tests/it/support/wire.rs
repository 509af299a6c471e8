//! The protocol without any cleverness: frames out, frames in, close codes.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use kefu::{
    client::hello,
    crypto::sign::SigningKey,
    proto::{ClientFrame, SUBPROTOCOL, ServerFrame, Side},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderValue},
};

/// Longer than anything takes on a busy machine; a test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// What came from the server.
#[derive(Debug)]
pub enum Got {
    /// JSON.
    Frame(ServerFrame),
    /// A record.
    Record(Bytes),
}

/// The socket ended; with the server's code if it gave one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone(pub Option<u16>);

/// A WebSocket.
pub struct Wire {
    ws: WebSocketStream<TcpStream>,
}

/// Which door, and from what page.
#[derive(Debug, Clone)]
pub struct Door {
    /// Path of the socket.
    pub path: String,
    /// `Origin` header.
    pub origin: Option<String>,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
}

impl Door {
    /// For visitors of a site.
    pub fn site(site: &str) -> Self {
        let origin = Some(super::company::ORIGIN.into());
        Self { path: format!("/api/v1/ws/site/{site}"), origin, headers: Vec::new() }
    }

    /// For agents.
    pub fn agent() -> Self {
        Self { path: "/api/v1/ws/agent".into(), origin: None, headers: Vec::new() }
    }
}

impl Wire {
    /// Opens the socket; the error is the HTTP status if the server answered with one.
    pub async fn open(addr: SocketAddr, door: &Door) -> Result<Self, Option<u16>> {
        Self::over(TcpStream::connect(addr).await.map_err(|_| None)?, addr, door).await
    }

    /// The same over a connection the caller made.
    pub async fn over(tcp: TcpStream, addr: SocketAddr, door: &Door) -> Result<Self, Option<u16>> {
        let _ = tcp.set_nodelay(true);
        let mut request = format!("ws://{addr}{}", door.path).into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        if let Some(origin) = &door.origin {
            headers.insert("origin", origin.parse().unwrap());
        }
        for (name, value) in &door.headers {
            headers.insert(*name, value.parse().unwrap());
        }
        match timeout(PATIENCE, client_async(request, tcp)).await.map_err(|_| None)? {
            Ok((ws, _)) => Ok(Self { ws }),
            Err(Error::Http(answer)) => Err(Some(answer.status().as_u16())),
            Err(_) => Err(None),
        }
    }

    /// Answers the challenge; the welcome (or whatever came instead) is for the caller to read.
    pub async fn hello(&mut self, key: &SigningKey, side: Side) -> Result<(), Gone> {
        let hello = self.answer(key, side).await?;
        self.send(&hello).await
    }

    /// Reads the challenge and makes the answer, without sending it.
    pub async fn answer(&mut self, key: &SigningKey, side: Side) -> Result<ClientFrame, Gone> {
        let Got::Frame(ServerFrame::Challenge { nonce, org, .. }) = self.next().await? else {
            panic!("the first frame is not a challenge");
        };
        Ok(hello(&org.parse().unwrap(), side, key, &nonce).unwrap())
    }

    /// Sends a control frame.
    pub async fn send(&mut self, frame: &ClientFrame) -> Result<(), Gone> {
        self.send_raw(Message::text(serde_json::to_string(frame).unwrap())).await
    }

    /// Sends an envelope.
    pub async fn send_envelope(&mut self, bytes: impl Into<Bytes>) -> Result<(), Gone> {
        self.send_raw(Message::Binary(bytes.into())).await
    }

    /// Sends anything.
    pub async fn send_raw(&mut self, message: Message) -> Result<(), Gone> {
        // what the server said before it hung up is still to be read, so a failed send is no end by itself
        match timeout(PATIENCE, self.ws.send(message)).await {
            Ok(Ok(()) | Err(Error::Io(_) | Error::ConnectionClosed | Error::AlreadyClosed | Error::Protocol(_))) => {
                Ok(())
            }
            _ => Err(Gone(None)),
        }
    }

    /// The next thing the server says. Panics if it says nothing for [`PATIENCE`].
    pub async fn next(&mut self) -> Result<Got, Gone> {
        match timeout(PATIENCE, self.next_quiet()).await {
            Ok(got) => got,
            Err(_) => panic!("the server said nothing for {PATIENCE:?}"),
        }
    }

    /// The same without a limit of time. Safe to cancel.
    pub async fn next_quiet(&mut self) -> Result<Got, Gone> {
        loop {
            match self.ws.next().await {
                Some(Ok(Message::Binary(bytes))) => return Ok(Got::Record(bytes)),
                Some(Ok(Message::Text(text))) => {
                    let frame = serde_json::from_str(&text);
                    return Ok(Got::Frame(frame.unwrap_or_else(|e| panic!("unreadable frame {text}: {e}"))));
                }
                Some(Ok(Message::Close(frame))) => return Err(Gone(frame.map(|f| u16::from(f.code)))),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Gone(None)),
            }
        }
    }

    /// Reads until the server closes, and says with which code.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Err(Gone(code)) = self.next().await {
                return code;
            }
        }
    }
}
