//! Observation: the log, and the numbers behind `kefu stats`, the wall and `/metrics`.
//!
//! One [`Metrics`] per process, shared as an `Arc`. Counting is a relaxed atomic addition and takes no lock; reading
//! ([`Metrics::snapshot`]) costs some microseconds and is consistent enough for people: each number is right, two numbers
//! may be a moment apart. Everything may use it; it imports no other crate but the clock and contains no message text, no
//! token and no address.

#![forbid(unsafe_code)]

mod count;
mod histogram;
pub mod log;
mod metrics;
mod process;
pub mod prometheus;
mod snapshot;
mod tally;

pub use count::{Counter, Gauge, Labelled, Rate};
pub use histogram::{Distribution, Histogram, Quantiles};
pub use metrics::{CLOSE_CAUSES, ERROR_NAMES, Metrics};
pub use process::Process;
pub use prometheus::render_prometheus;
pub use snapshot::{Connections, Latency, Messages, MetricsSnapshot, Rates};
pub use tally::Tally;
