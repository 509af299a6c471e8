//! What an agent waited for, as lines of a table and as JSON.

use hdrhistogram::Histogram;
use serde::Serialize;

/// How long something took.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Times {
    /// How often it was done.
    pub count: u64,
    /// Half of the times were at most this, ms.
    pub p50_ms: f64,
    /// The 99th percentile, ms.
    pub p99_ms: f64,
}

impl Times {
    /// Of these times, µs; none if there are none.
    pub fn of(us: &Histogram<u64>) -> Option<Self> {
        let ms = |q| us.value_at_quantile(q) as f64 / 1000.0;
        (!us.is_empty()).then(|| Self { count: us.len(), p50_ms: ms(0.5), p99_ms: ms(0.99) })
    }
}

/// An agent with many conversations, and a visitor who writes meanwhile.
#[derive(Debug, Clone, Serialize)]
pub struct Read {
    /// Conversations that the agent has.
    pub owned: u64,
    /// Conversations that wait in the queue.
    pub waiting: u64,
    /// Records of the longest conversation that the agent has.
    pub records: u64,
    /// From connecting until all conversations of the agent and of the queue are there.
    pub sign_in: Option<Times>,
    /// A page of 100 of the list of all conversations.
    pub list_page: Option<Times>,
    /// From asking for the longest conversation to the answer.
    pub open: Option<Times>,
    /// A page of 500 of its records.
    pub history_page: Option<Times>,
    /// All of them.
    pub history: Option<Times>,
    /// From sending a message to its acknowledgement, while nobody reads.
    pub commit_alone: Option<Times>,
    /// The same while the agent reads.
    pub commit_meanwhile: Option<Times>,
    /// Resident memory of the server before anyone signed in.
    pub rss_before_bytes: Option<u64>,
    /// The most while the agent read.
    pub rss_peak_bytes: Option<u64>,
}

impl Read {
    /// Names and values for a table.
    pub fn lines(&self) -> Vec<(&'static str, Option<String>)> {
        let whole = |n: u64| Some(n.to_string());
        let mb = |n: Option<u64>| n.map(|n| format!("{:.1}", n as f64 / 1e6));
        let ms = |times: Option<Times>| times.map(|times| format!("{:.2}", times.p50_ms));
        let slow = |times: Option<Times>| times.map(|times| format!("{:.2}", times.p99_ms));
        vec![
            ("conversations of the agent", whole(self.owned)),
            ("conversations in the queue", whole(self.waiting)),
            ("records of the longest", whole(self.records)),
            ("signed in with the list, p50 ms", ms(self.sign_in)),
            ("signed in with the list, p99 ms", slow(self.sign_in)),
            ("page of the list, p50 ms", ms(self.list_page)),
            ("page of the list, p99 ms", slow(self.list_page)),
            ("longest opened, p50 ms", ms(self.open)),
            ("longest opened, p99 ms", slow(self.open)),
            ("page of its records, p50 ms", ms(self.history_page)),
            ("page of its records, p99 ms", slow(self.history_page)),
            ("all its records, p50 ms", ms(self.history)),
            ("all its records, p99 ms", slow(self.history)),
            ("acknowledged, nobody reading, p50 ms", ms(self.commit_alone)),
            ("acknowledged, nobody reading, p99 ms", slow(self.commit_alone)),
            ("acknowledged meanwhile, p50 ms", ms(self.commit_meanwhile)),
            ("acknowledged meanwhile, p99 ms", slow(self.commit_meanwhile)),
            ("server memory before, MB", mb(self.rss_before_bytes)),
            ("server memory, most, MB", mb(self.rss_peak_bytes)),
        ]
    }
}
