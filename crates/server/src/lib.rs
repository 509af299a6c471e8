//! The server: what happens between a socket and the disk, and who may do what.
//!
//! `docs/protocol.md` is the contract with the outside; `tests/it/layers.rs` holds each module to the imports it is allowed. A
//! frame enters at [`http`], is checked by [`chat`], made durable by [`store`], and only then handed to everyone by way of [`hub`].
//! [`app`] is the one place that knows which concrete parts are behind the traits. Commands and their output are the package
//! `kefu`'s.

#![forbid(unsafe_code)]

pub mod app;
pub mod bus;
pub mod chat;
pub mod data_dir;
pub mod documents;
pub mod http;
pub mod hub;
pub mod org;
pub mod robot;
pub mod tls;

// the libraries below, under the names that paths use
pub use kefu_blobs as blobs;
pub use kefu_clock as clock;
pub use kefu_config as config;
pub use kefu_crypto as crypto;
pub use kefu_desk as desk;
pub use kefu_files as files;
pub use kefu_hours as hours;
pub use kefu_net as net;
pub use kefu_nlu as nlu;
pub use kefu_notices as notices;
pub use kefu_proto as proto;
pub use kefu_store as store;
pub use kefu_telemetry as telemetry;
