//! What came of an overload.

use std::collections::BTreeMap;

/// What came of it. Latencies are µs, from when a message was to be sent to the other side's socket.
#[derive(Debug, Clone)]
pub struct OverloadReport {
    /// Messages per second that the server can do.
    pub capacity: u64,
    /// Messages that fell due before, in and after the overload.
    pub offered: u64,
    /// Of these, acknowledged as durable to the sender.
    pub acknowledged: u64,
    /// Never put on the way, since as many as the generator holds were waiting.
    pub not_offered: u64,
    /// Refusals by their codes; most are followed by another try.
    pub refused: BTreeMap<String, u64>,
    /// Refused for good.
    pub dropped: u64,
    /// Connections that ended, by the code or the reason.
    pub closed: BTreeMap<String, u64>,
    /// Acknowledged and never delivered, or delivered altered.
    pub lost: u64,
    /// Neither acknowledged nor refused when nothing more came.
    pub unacknowledged: u64,
    /// Messages that came under two numbers.
    pub doubled: u64,
    /// The most messages that waited here to be written.
    pub generator_backlog: u64,
    /// Resident memory of the server before the overload, and the most from its beginning on, bytes.
    pub rss_bytes: Option<(u64, u64)>,
    /// Half of the messages before the overload took at most this, and 99 of 100.
    pub before: [u64; 2],
    /// The same of the messages that fell due in the overload.
    pub overload: [u64; 2],
    /// From the end of the overload to the first second in which half of the new messages took at most twice as long as
    /// before it; none if that did not happen.
    pub recovered_seconds: Option<f64>,
    /// Of the machine when it was measured.
    pub load_average: f64,
}
