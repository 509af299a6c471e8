//! Connections to Redis or Valkey, 7.0 or newer: one server, Sentinel or Cluster.
//!
//! A [`Url`] says where the servers are. A [`Link`] knows which of them is primary for which of the 16,384 slots
//! ([`Map`]) and opens connections. A [`Connection`] sends commands and returns replies, a [`Subscriber`] receives what
//! others publish. Both belong to one process of one server: when that ends, is demoted or does not answer, the connection
//! ends, every waiting call gets an [`Error`] that says whether its command may have been executed
//! ([`Error::may_have_run`]), and whoever opened it opens another, after [`Backoff`]. Nothing here reconnects or sends a
//! command twice by itself.
//!
//! The crate `redis` encodes, parses and multiplexes; its clients for Sentinel and Cluster and its connection manager are not
//! used. What is stored, and why, is the caller's: this crate knows only keys, slots, [`lanes`] and scripts. What a server must
//! be set to so that it loses nothing is in [`checks`].

#![forbid(unsafe_code)]

mod address;
mod backoff;
pub mod checks;
mod connection;
mod connector;
mod error;
mod handshake;
mod info;
pub mod lanes;
mod link;
mod mailbox;
mod options;
mod password;
mod script;
mod server;
mod stream;
mod subscriber;
#[cfg(feature = "testing")]
pub mod testing;
mod topology;
mod url;
mod wire;

pub use address::Address;
pub use backoff::Backoff;
pub use connection::{Connection, Pipeline};
pub use connector::Connector;
pub use error::{Error, Reason};
pub use handshake::{Expect, Handshake};
pub use link::Link;
pub use mailbox::{Channels, Push};
pub use options::{Options, SettingsError};
pub use password::Password;
pub use redis::{Cmd, FromRedisValue, ToRedisArgs, Value, cmd};
pub use script::Script;
pub use server::{Role, Server, Version};
pub use subscriber::{Pushes, Subscriber};
pub use topology::{Map, Shard};
pub use url::{Place, Url, UrlError};
