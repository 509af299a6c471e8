//! The client for tests: it panics on unexpected answers, and waits no longer than needed.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use kefu::{
    client::{ClientError, Endpoint, Received, Socket, Stream, frame::opcode, hello},
    crypto::sign::SigningKey,
    proto::{ClientFrame, ServerFrame, Side},
};
use tokio::{net::TcpStream, time::timeout};

/// The socket ended; with the server's code if it gave one.
pub use kefu::client::Closed as Gone;

use super::company::id;

/// Longer than anything takes on a busy machine; a test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// What came from the server.
#[derive(Debug)]
pub enum Got {
    /// A text frame: JSON.
    Frame(ServerFrame),
    /// A binary frame: a record.
    Record(Bytes),
}

/// A WebSocket.
pub struct Wire {
    socket: Socket,
}

/// Kind of socket, and the page's origin.
#[derive(Debug, Clone)]
pub struct Door {
    /// Path of the socket, and who goes in there.
    pub endpoint: Endpoint,
    /// `Origin` header.
    pub origin: Option<String>,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
}

impl Door {
    /// For visitors of a site.
    pub fn site(site: &str) -> Self {
        let origin = Some(super::company::ORIGIN.into());
        Self { endpoint: Endpoint::visitor(&id(site)), origin, headers: Vec::new() }
    }

    /// For agents.
    pub fn agent() -> Self {
        Self { endpoint: Endpoint::agent(), origin: None, headers: Vec::new() }
    }

    fn endpoint(&self) -> Endpoint {
        let origin = self.origin.clone().map(|origin| ("origin", origin));
        Endpoint { headers: origin.into_iter().chain(self.headers.clone()).collect(), ..self.endpoint.clone() }
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
        let (host, endpoint) = (addr.to_string(), door.endpoint());
        let opened = timeout(PATIENCE, Socket::open(Stream::Plain(tcp), &host, &endpoint));
        match opened.await.map_err(|_| None)? {
            Ok(socket) => Ok(Self { socket }),
            Err(ClientError::Status(status)) => Err(Some(status)),
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
        self.send_text(&serde_json::to_string(frame).unwrap()).await
    }

    /// Sends any text.
    pub async fn send_text(&mut self, text: &str) -> Result<(), Gone> {
        self.send_payload(opcode::TEXT, text.as_bytes()).await
    }

    /// Sends an envelope, or any bytes.
    pub async fn send_envelope(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), Gone> {
        self.send_payload(opcode::BINARY, bytes.as_ref()).await
    }

    async fn send_payload(&mut self, opcode: u8, payload: &[u8]) -> Result<(), Gone> {
        // what the server sent before it hung up is still to be read, so a failed send does not end this
        timeout(PATIENCE, self.socket.send_payload(opcode, payload)).await.map_or(Err(Gone(None)), |_| Ok(()))
    }

    /// The next message from the server. Panics if none arrives for [`PATIENCE`].
    pub async fn next(&mut self) -> Result<Got, Gone> {
        match timeout(PATIENCE, self.next_quiet()).await {
            Ok(got) => got,
            Err(_) => panic!("the server said nothing for {PATIENCE:?}"),
        }
    }

    /// The same without a limit of time. Safe to cancel.
    pub async fn next_quiet(&mut self) -> Result<Got, Gone> {
        match self.socket.next().await? {
            Received::Frame(frame) => Ok(Got::Frame(frame)),
            Received::Record(bytes) => Ok(Got::Record(bytes)),
            Received::Unknown(text) => panic!("unreadable frame {}", String::from_utf8_lossy(&text)),
        }
    }

    /// Reads until the server closes, and returns the code.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Err(Gone(code)) = self.next().await {
                return code;
            }
        }
    }
}
