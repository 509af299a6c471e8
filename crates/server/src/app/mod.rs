//! Composition root: the one module that names concrete backends.
//!
//! `open` opens what is in a data directory, [`serve()`] runs a server on it, [`Admin`] asks a running server, or the router in
//! process if none runs. Background work of a server is in `tasks`.

mod admin_client;
mod bucket;
mod copy;
mod error;
mod maintenance;
mod moving;
mod notices;
mod open;
mod others;
mod push;
mod rules;
mod serve;
mod settings;
mod shared_database;
mod shared_robot;
#[cfg(test)]
mod simulation;
mod standing;
mod storage;
mod tasks;
mod whole_database;

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};

pub use admin_client::{Admin, AdminError, Dump};
pub use bucket::{BucketReport, bucket_to_restore, examine_bucket};
pub use copy::Target;
pub use error::ServeError;
pub use kefu_redis_link::checks::{Finding, Severity};
pub use moving::{Move, MoveError, Moved, Step};
pub use open::{blobs_path, found, make_cluster_key, store_and_directory};
pub use serve::serve;
pub use shared_robot::{KnowledgeError, SharedKnowledge};
pub use storage::{database_path, examine_redis};

pub use crate::blobs::strangers;
pub use crate::store::Sum;
use crate::{chat::KnowledgeSource, config::Config, http::Patience, robot::engine::DecisionEngine};

/// Threads for reads of the disk. Hundreds, as tokio would start when all clients reconnect at once, read no faster and
/// leave their memory behind.
const DISK_READERS: usize = 8;

/// The runtime that a server runs on.
///
/// The process is told to use no transparent huge pages: the allocator asks for them, and a server that holds thousands of
/// small things touches a little of each (measured with 9,000 idle sockets: 4.8 KB each with them, 3.5 KB without). Where
/// the kernel's pages have 64 KiB a huge one has 512 MiB.
pub fn runtime() -> io::Result<tokio::runtime::Runtime> {
    // the call fails without such pages or where an administrator forbids it: neither is a reason not to serve
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    tokio::runtime::Builder::new_multi_thread().max_blocking_threads(DISK_READERS).enable_all().build()
}

/// What to serve.
pub struct ServeOptions {
    /// The data directory.
    pub data_dir: PathBuf,
    /// The configuration.
    pub config: Config,
    /// A socket that listens already, non-blocking; without it, one is made for `server.listen`.
    pub listener: Option<std::net::TcpListener>,
    /// What decides for the robot; without it, the robot hands over at once.
    pub engine: Option<Arc<dyn DecisionEngine>>,
    /// What agents look up; without it, nothing.
    pub knowledge: Option<Arc<dyn KnowledgeSource>>,
    /// How long the edge waits for clients that do nothing.
    pub patience: Patience,
}

/// Sent once the server accepts requests.
pub struct Ready {
    /// Where it listens (the port is known now, also if 0 was asked for).
    pub listen: SocketAddr,
    /// Where people reach it.
    pub public_url: String,
}
