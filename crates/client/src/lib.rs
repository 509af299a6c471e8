//! The one Rust client of the protocol: how to reach a server, the WebSocket, signing in, and how a conversation begins.
//!
//! There are two levels. [`Reader`] and [`Writer`] are the halves of a socket as cheap as it gets: frames are handed to a
//! closure where they lie, frames made beforehand are written as they are; the load generator uses these. [`Socket`] holds
//! both and gives one message after the other; the tests use that.
//!
//! Messages of a conversation are not kept here, and nothing is retried: a client for people does both, see `ui/src`.

#![forbid(unsafe_code)]

mod address;
mod directory;
mod endpoint;
mod error;
pub mod frame;
pub mod http;
mod opening;
mod sign_in;
mod socket;
mod stream;
mod websocket;

pub use address::{Address, AddressError, Tls};
pub use directory::{DirectoryFetchError, fetch_directory};
pub use endpoint::Endpoint;
pub use error::ClientError;
pub use opening::{Opening, OpeningError};
pub use sign_in::hello;
pub use socket::{Closed, Received, Socket};
pub use stream::{Stream, Writer, connect};
pub use websocket::{Reader, close_code, upgrade};
