//! What an overload did, as lines of a table and as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

/// More messages than a server can do, for a while. Latencies are from when a message was to be sent to the other side's socket.
#[derive(Debug, Clone, Serialize)]
pub struct Overload {
    /// Messages per second that the server can do.
    pub capacity_per_second: u64,
    /// Messages per second in the overload.
    pub offered_per_second: u64,
    /// Messages that fell due before, in and after it.
    pub offered: u64,
    /// Of these, acknowledged as durable to the sender.
    pub acknowledged: u64,
    /// Never put on the way, since as many as the generator holds were waiting.
    pub not_offered: u64,
    /// Refusals by their codes; most are followed by another try.
    pub refused: BTreeMap<String, u64>,
    /// Refused for good.
    pub refused_for_good: u64,
    /// Connections that ended, by close code, or the reason.
    pub closed: BTreeMap<String, u64>,
    /// Neither acknowledged nor refused when nothing more came.
    pub unacknowledged: u64,
    /// The most messages that waited in the generator for a socket.
    pub generator_backlog: u64,
    /// Resident memory of the server before the overload.
    pub rss_before_bytes: Option<u64>,
    /// The most from its beginning on.
    pub rss_peak_bytes: Option<u64>,
    /// Half of the messages took at most this before.
    pub deliver_before_p50_ms: f64,
    /// The 99th percentile, ms.
    pub deliver_before_p99_ms: f64,
    /// Half of the messages that fell due in the overload took at most this.
    pub deliver_p50_ms: f64,
    /// The 99th percentile, ms.
    pub deliver_p99_ms: f64,
    /// From the end of the overload until half of the new messages took at most twice as long as before it, for a second;
    /// null if that did not happen.
    pub recovered_seconds: Option<f64>,
}

impl Overload {
    /// Names and values for a table.
    pub fn lines(&self) -> Vec<(&'static str, Option<String>)> {
        let whole = |n: u64| Some(n.to_string());
        let ms = |n: f64| Some(format!("{n:.2}"));
        let mb = |n: Option<u64>| n.map(|n| format!("{:.1}", n as f64 / 1e6));
        let each = |counts: &BTreeMap<String, u64>| {
            let list: Vec<String> = counts.iter().map(|(what, n)| format!("{what}: {n}")).collect();
            Some(if list.is_empty() { "none".to_owned() } else { list.join(", ") })
        };
        let recovered = self.recovered_seconds.map_or("never".to_owned(), |s| format!("{s:.2}"));
        vec![
            ("messages per second it can do", whole(self.capacity_per_second)),
            ("offered in the overload", whole(self.offered_per_second)),
            ("messages offered", whole(self.offered)),
            ("acknowledged", whole(self.acknowledged)),
            ("not sent: too many waited", whole(self.not_offered)),
            ("refused", each(&self.refused)),
            ("refused for good", whole(self.refused_for_good)),
            ("connections closed", each(&self.closed)),
            ("never acknowledged", whole(self.unacknowledged)),
            ("waited in the generator, most", whole(self.generator_backlog)),
            ("server memory before, MB", mb(self.rss_before_bytes)),
            ("server memory, most, MB", mb(self.rss_peak_bytes)),
            ("delivered before, p50 ms", ms(self.deliver_before_p50_ms)),
            ("delivered before, p99 ms", ms(self.deliver_before_p99_ms)),
            ("delivered in the overload, p50 ms", ms(self.deliver_p50_ms)),
            ("delivered in the overload, p99 ms", ms(self.deliver_p99_ms)),
            ("recovered after s", Some(recovered)),
        ]
    }
}
