//! The words of a client: where it goes, who it is, and why it can't go on.

use std::{net::SocketAddr, sync::Arc};

use super::dial::Address;
use crate::{
    crypto::directory::Directory,
    proto::{ClientFrame, ErrorCode, SiteId},
};

/// Why a client can't go on.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// No connection.
    #[error("cannot reach {0}: {1}")]
    Connect(SocketAddr, std::io::Error),
    /// The server did not answer 101.
    #[error("the server refused the socket with HTTP status {0}{hint}", hint = hint(*.0))]
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
    /// A request was refused for good.
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
}

fn hint(status: u16) -> &'static str {
    if status == 429 { ": to it, all of the generator is one address; raise connections_per_address" } else { "" }
}

/// Where a client goes and what it trusts.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where the server is.
    pub at: Address,
    /// The directory; its fingerprint is the pin.
    pub directory: Arc<Directory>,
}

/// Who a client is.
#[derive(Debug, Clone)]
pub enum Who {
    /// A visitor on a site.
    Visitor(SiteId),
    /// An agent.
    Agent,
}

/// A frame as it is sent.
pub fn json(frame: &ClientFrame) -> Result<String, PeerError> {
    serde_json::to_string(frame).map_err(|e| PeerError::Protocol(e.to_string()))
}
