//! kefu (客服): live chat in one executable, end to end encrypted.
//!
//! The crate is a house of layers; `docs/protocol.md` is its contract with the outside, and `tests/it/layers.rs` holds
//! every room to the imports it is allowed. One road runs through it: a frame enters at [`http`], is checked by [`chat`],
//! made durable by [`store`], and only then handed to everyone by way of [`hub`]. [`app`] is the one place that knows
//! which concrete parts stand behind the traits.

// the arithmetic of the language model and the functions on memory, which can't do without, are crates of their own
#![forbid(unsafe_code)]

pub mod ai;
pub mod app;
pub mod bot;
pub mod chat;
pub mod cli;
#[doc(hidden)]
pub mod client;
pub mod config;
pub mod crypto;
pub mod desk;
pub mod files;
pub mod housekeeping;
pub mod http;
pub mod hub;
pub mod net;
pub mod obs;
pub mod org;
pub mod proto;
pub mod store;
pub mod tls;
pub mod understanding;

#[cfg(target_env = "musl")]
use kefu_mem as _;
