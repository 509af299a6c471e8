//! Real servers for tests: in temporary directories, on free ports of the loopback address, killed when dropped. The executable
//! is `redis-server`, or what the variable `KEFU_REDIS` names: a `valkey-server` works as well. Without one, tests fail.
//!
//! All functions panic with a sentence when something does not come about in time.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "what fails here fails a test")]

mod certificates;
mod cluster;
mod network;
mod process;
mod sentinels;
mod server;

use std::time::Duration;

use tokio::time::{Instant, sleep};

pub use certificates::Certificates;
pub use cluster::Cluster;
pub use network::{Host, Network};
pub use sentinels::{MASTER, Sentinels};
pub use server::RedisServer;

/// For anything that must come about: starts, failovers. Long, because machines that test are slow.
pub const DEADLINE: Duration = Duration::from_mins(1);
/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(10);

/// Tries until something comes out.
///
/// # Panics
/// Nothing did within [`DEADLINE`].
pub async fn until<T>(what: &str, attempt: impl AsyncFnMut() -> Option<T>) -> T {
    until_within(DEADLINE, what, attempt).await
}

/// The same with another deadline.
///
/// # Panics
/// Nothing did within it.
pub async fn until_within<T>(deadline: Duration, what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + deadline;
    loop {
        if let Some(value) = attempt().await {
            return value;
        }
        assert!(Instant::now() < end, "after {deadline:?} still not: {what}");
        sleep(INTERVAL).await;
    }
}
