//! The words of a client: where it goes, who it is, what comes to it, and why it can't go on.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio_tungstenite::tungstenite;

use super::held::Record;
use crate::{
    crypto::{directory::Directory, hpke::KemSecret},
    proto::{ClientFrame, ErrorCode, ServerFrame, SiteId, Summary},
};

/// How long a step of a client may take before it is an error.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Why a client can't go on.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// No connection.
    #[error("cannot reach {0}: {1}")]
    Connect(SocketAddr, std::io::Error),
    /// The server did not answer 101.
    #[error("the server refused the socket with HTTP status {0}")]
    Status(u16),
    /// The socket ended; the code if there was a close frame.
    #[error("the socket ended with code {0:?}")]
    Closed(Option<u16>),
    /// Something else went wrong with the socket.
    #[error("the socket failed: {0}")]
    Socket(String),
    /// The server said something a client does not understand.
    #[error("the server said something unexpected: {0}")]
    Protocol(String),
    /// A request or an envelope was refused for good.
    #[error("refused with {code:?}: {text}")]
    Refused {
        /// Why.
        code: ErrorCode,
        /// For people.
        text: String,
    },
    /// A key, seal or announcement can't be made.
    #[error("cannot seal: {0}")]
    Seal(String),
    /// Nothing came in time.
    #[error("waited {PATIENCE:?} in vain for {0}")]
    Silence(&'static str),
}

/// Where a client goes and what it trusts.
#[derive(Debug, Clone)]
pub struct Target {
    /// Plain HTTP.
    pub address: SocketAddr,
    /// The directory; its fingerprint is the pin.
    pub directory: Arc<Directory>,
    /// `Origin` header, as a page would send it; none as a program.
    pub origin: Option<String>,
}

/// Who a client is.
#[derive(Debug, Clone)]
pub enum Who {
    /// A visitor on a site.
    Visitor(SiteId),
    /// An agent, with the private keys of his teams.
    Agent(Vec<KemSecret>),
}

/// What came.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    /// The next record of a conversation, applied.
    Record(Record),
    /// A text frame. Errors that the rules of resending answer by themselves (`conflict`, `rate_limited`, `storage` of an
    /// envelope on its way) come too.
    Frame(ServerFrame),
}

/// What `welcome` said.
#[derive(Debug, Clone)]
pub struct Welcome {
    /// For HTTP.
    pub token: String,
    /// Conversations shown at the start.
    pub convs: Vec<Summary>,
    /// Heartbeat, ms.
    pub beat: u64,
}

/// A frame as it is sent.
pub(super) fn json(frame: &ClientFrame) -> Result<String, PeerError> {
    serde_json::to_string(frame).map_err(|e| PeerError::Protocol(e.to_string()))
}

/// A socket's error in our words.
pub(super) fn broken(e: tungstenite::Error) -> PeerError {
    match e {
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed | tungstenite::Error::Io(_) => {
            PeerError::Closed(None)
        }
        tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
            PeerError::Closed(None)
        }
        tungstenite::Error::Http(answer) => PeerError::Status(answer.status().as_u16()),
        e => PeerError::Socket(e.to_string()),
    }
}
