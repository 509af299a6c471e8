//! kefu (客服): live chat in one executable, end to end encrypted.
//!
//! Here is the command line, over the server (`crates/server`) and the libraries beside it. It is a package of its own so that
//! commands, which run once, are built for size, and the server for speed.

#![forbid(unsafe_code)]

pub mod cli;

// the server's modules and the libraries below, under the names that paths use
#[doc(hidden)]
pub use kefu_client as client;
pub use kefu_loadgen as loadgen;
#[cfg(target_env = "musl")]
use kefu_memfn as _;
pub use kefu_server::{
    app, blobs, bus, chat, clock, config, crypto, data_dir, desk, files, hours, http, hub, net, nlu, org, proto, robot,
    store, telemetry, tls,
};
