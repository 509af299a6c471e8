//! The load generator: drives a given address with load, as clients do, and counts what comes of it.
//!
//! It speaks to a server only over sockets, and knows nothing of how one is made: founding a company, filling a store,
//! starting a server and printing figures are for `kefu bench`. Everything here happens on one thread, so that it costs
//! little and shares its buffers: workloads must run on a [`tokio::task::LocalSet`].

#![forbid(unsafe_code)]

mod chat;
mod connect;
mod counters;
mod error;
mod history;
mod idle;
pub mod idle_connections;
mod interval;
mod meter;
mod overload;
pub mod pair;
mod read;
mod schedule;
mod sealing;
mod stage;
mod storm;
mod target;
mod uploads;

pub use chat::{Chat, ChatReport};
pub use counters::Counters;
pub use error::LoadError;
pub use idle::{Idle, IdleReport};
pub use interval::Interval;
pub use meter::{Process, ServerMeter, load_average};
pub use overload::{Overload, OverloadReport};
pub use pair::{Pair, Peer};
pub use read::{Read, ReadReport, Reads};
pub use stage::Stage;
pub use storm::{Storm, StormReport};
pub use target::Target;
pub use uploads::Uploads;
