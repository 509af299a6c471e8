//! Why a client can't continue.

use std::{io, net::SocketAddr};

/// Why a client can't continue.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The connection failed.
    #[error("cannot reach {0}: {1}")]
    Connect(SocketAddr, io::Error),
    /// The server did not answer 101.
    #[error("the server refused the socket with HTTP status {0}")]
    Status(u16),
    /// The socket ended; the code if there was a close frame.
    #[error("the socket was closed with code {0:?}")]
    Closed(Option<u16>),
    /// Something else went wrong with the socket.
    #[error("the socket failed: {0}")]
    Socket(io::Error),
    /// The server sent something that a client does not understand.
    #[error("unexpected message from the server: {0}")]
    Protocol(String),
}
