//! Every number the server keeps, in one struct.

use std::time::Instant;

use super::{
    Connections, Counter, Gauge, Histogram, Labelled, Messages, MetricsSnapshot, Process, Rate, Rates, Tally,
    tally::Lately,
};

/// Why sockets close: the names of the protocol's close codes, and the ways that have none.
pub static CLOSE_CAUSES: [&str; 11] = [
    "other",
    "normal",
    "reset",
    "going_away",
    "slow",
    "silent",
    "busy",
    "protocol",
    "unauthorised",
    "disabled",
    "unsupported",
];

/// Names of the protocol's error codes, at the index of their number.
pub static ERROR_NAMES: [&str; 16] = [
    "other",
    "malformed",
    "too_large",
    "rate_limited",
    "unauthorised",
    "forbidden",
    "not_found",
    "conflict",
    "epoch_stale",
    "directory_stale",
    "closed",
    "not_owner",
    "too_late",
    "storage",
    "plaintext_refused",
    "unsupported",
];

/// Names of the protocol's limits.
pub static LIMIT_NAMES: [&str; 8] =
    ["other", "messages", "openings", "changes", "keys", "bytes", "conversation", "reads"];

/// The numbers. Fields are public so that the place that knows counts; compound counting has methods.
#[derive(Debug)]
pub struct Metrics {
    start: Instant,
    started_ms: u64,
    /// Sockets of visitors, signed in.
    pub visitors: Gauge,
    /// Sockets of agents, signed in.
    pub agents: Gauge,
    /// TCP connections that speak HTTP; once upgraded they count as sockets.
    pub open: Gauge,
    /// TCP connections so far.
    pub accepted: Counter,
    /// Sockets refused because there were too many.
    pub turned_away: Counter,
    /// TLS or HTTP that failed before a socket or an answer came of it.
    pub handshakes_failed: Counter,
    /// WebSockets by how they ended.
    pub closed: Labelled<{ CLOSE_CAUSES.len() }>,
    /// Answers of the HTTP edge.
    pub http_requests: Counter,
    /// Of these, requests under `/api/v1` and for sockets.
    pub api_requests: Counter,
    /// Envelopes that clients sent.
    pub envelopes_in: Counter,
    /// Records sent to sockets, each socket counted.
    pub records_out: Counter,
    /// Bytes read from WebSockets (frames' payload).
    pub bytes_in: Counter,
    /// Bytes written to WebSockets (frames' payload).
    pub bytes_out: Counter,
    /// Envelopes that were stored already.
    pub duplicates: Counter,
    /// Requests and envelopes refused, by error code.
    pub refused: Labelled<{ ERROR_NAMES.len() }>,
    /// Refusals by the limit that was met.
    pub limited: Labelled<{ LIMIT_NAMES.len() }>,
    /// Sockets that resumed conversations; many at once are a storm after an outage.
    pub resumes: Counter,
    /// Commits to disk.
    pub commits: Counter,
    /// Records written.
    pub records_written: Counter,
    /// Conversations begun.
    pub opened: Counter,
    /// Conversations that were closed because nobody had answered.
    pub conversations_missed: Counter,
    /// Missed conversations that no agent has handled yet, regardless of when they were missed.
    pub missed: Gauge,
    /// How long the first of all queues has waited, ms.
    pub longest_wait_ms: Gauge,
    /// Offers made to agents.
    pub offers: Counter,
    /// Offers that ran out.
    pub offers_missed: Counter,
    /// Messages that webhooks took.
    pub notices_delivered: Counter,
    /// Tries that failed.
    pub notices_failed: Counter,
    /// Notices that no webhook was told: too many, or for too long.
    pub notices_lost: Counter,
    /// Notices that wait for their webhook.
    pub notices_waiting: Gauge,
    /// Bytes of the database on disk.
    pub store_bytes: Gauge,
    /// Files that people sent, those included that are being uploaded.
    pub files: Gauge,
    /// Bytes of these files.
    pub file_bytes: Gauge,
    /// What can be stored: 0 everything, 1 little, 2 nothing.
    pub storage_state: Gauge,
    /// Bytes free on the disk of the database.
    pub disk_free_bytes: Gauge,
    /// Bytes that must stay free there for everything to be stored.
    pub disk_reserve_bytes: Gauge,
    /// Records per commit to disk.
    pub batch: Histogram,
    /// From submitting a batch to its being on disk, µs.
    pub commit_latency: Histogram,
    /// How long a checkpoint took, µs.
    pub checkpoint: Histogram,
    /// Bytes that checkpoints brought from the log to the database.
    pub checkpoint_bytes: Counter,
    /// Bytes that are in the log and not in the database yet.
    pub unsettled_bytes: Gauge,
    /// From reading an envelope to its record being in the outboxes, µs.
    pub delivery_latency: Histogram,
    messages: Rate,
    connects: Rate,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            started_ms: kefu_clock::now_ms(),
            visitors: Gauge::default(),
            agents: Gauge::default(),
            open: Gauge::default(),
            accepted: Counter::default(),
            turned_away: Counter::default(),
            handshakes_failed: Counter::default(),
            closed: Labelled::new(&CLOSE_CAUSES),
            http_requests: Counter::default(),
            api_requests: Counter::default(),
            envelopes_in: Counter::default(),
            records_out: Counter::default(),
            bytes_in: Counter::default(),
            bytes_out: Counter::default(),
            duplicates: Counter::default(),
            refused: Labelled::new(&ERROR_NAMES),
            limited: Labelled::new(&LIMIT_NAMES),
            resumes: Counter::default(),
            commits: Counter::default(),
            records_written: Counter::default(),
            opened: Counter::default(),
            conversations_missed: Counter::default(),
            missed: Gauge::default(),
            longest_wait_ms: Gauge::default(),
            offers: Counter::default(),
            offers_missed: Counter::default(),
            notices_delivered: Counter::default(),
            notices_failed: Counter::default(),
            notices_lost: Counter::default(),
            notices_waiting: Gauge::default(),
            store_bytes: Gauge::default(),
            files: Gauge::default(),
            file_bytes: Gauge::default(),
            storage_state: Gauge::default(),
            disk_free_bytes: Gauge::default(),
            disk_reserve_bytes: Gauge::default(),
            batch: Histogram::default(),
            commit_latency: Histogram::default(),
            checkpoint: Histogram::default(),
            checkpoint_bytes: Counter::default(),
            unsettled_bytes: Gauge::default(),
            delivery_latency: Histogram::default(),
            messages: Rate::default(),
            connects: Rate::default(),
        }
    }
}

impl Metrics {
    /// All zero; the clock starts.
    pub fn new() -> Self {
        Self::default()
    }

    fn second(&self) -> u64 {
        self.start.elapsed().as_secs()
    }

    /// An envelope of `bytes` came in.
    pub fn envelope(&self, bytes: usize) {
        self.envelopes_in.inc();
        self.bytes_in.add(bytes as u64);
        self.messages.add(1, self.second());
    }

    /// A TCP connection was accepted.
    pub fn connected(&self) {
        self.accepted.inc();
        self.open.inc();
        self.connects.add(1, self.second());
    }

    /// A TCP connection is gone.
    pub fn disconnected(&self) {
        self.open.dec();
    }

    /// A WebSocket ended; `cause` is one of [`CLOSE_CAUSES`].
    pub fn socket_closed(&self, cause: &str) {
        self.closed.inc(cause);
    }

    /// A request or envelope was refused with this error code.
    pub fn refuse(&self, code: u16) {
        self.refused.inc_at(usize::from(code));
    }

    /// The store wrote `records` records in one commit.
    pub fn committed(&self, records: usize) {
        self.commits.inc();
        self.records_written.add(records as u64);
        self.batch.record(records as u64);
    }

    /// Everything, as it is now.
    pub fn snapshot(&self) -> MetricsSnapshot {
        self.tally().snapshot()
    }

    /// The same in a form that adds up over several servers.
    pub fn tally(&self) -> Tally {
        let lately = |h: &Histogram| Lately { minute: h.window(), total: h.total() };
        let distributions = [&self.batch, &self.commit_latency, &self.checkpoint, &self.delivery_latency].map(lately);
        Tally::new(self.numbers(), distributions)
    }

    fn numbers(&self) -> MetricsSnapshot {
        let second = self.second();
        let rates = |r: &Rate| Rates {
            last: r.average(1, second),
            ten_seconds: r.average(10, second),
            minute: r.average(60, second),
        };
        let named = |l: &mut dyn Iterator<Item = (&'static str, u64)>| {
            l.filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_owned(), n)).collect()
        };
        MetricsSnapshot {
            started_ms: self.started_ms,
            uptime_seconds: second,
            process: Process::read(),
            connections: Connections {
                visitors: self.visitors.get(),
                agents: self.agents.get(),
                open: self.open.get(),
                accepted: self.accepted.get(),
                turned_away: self.turned_away.get(),
                handshakes_failed: self.handshakes_failed.get(),
                http_requests: self.http_requests.get(),
                api_requests: self.api_requests.get(),
                resumes: self.resumes.get(),
                per_second: rates(&self.connects),
                closed: named(&mut self.closed.iter()),
            },
            messages: Messages {
                envelopes_in: self.envelopes_in.get(),
                records_out: self.records_out.get(),
                records_written: self.records_written.get(),
                commits: self.commits.get(),
                bytes_in: self.bytes_in.get(),
                bytes_out: self.bytes_out.get(),
                duplicates: self.duplicates.get(),
                per_second: rates(&self.messages),
                refused: named(&mut self.refused.iter()),
                limited: named(&mut self.limited.iter()),
            },
            conversations_opened: self.opened.get(),
            conversations_missed: self.conversations_missed.get(),
            missed: self.missed.get(),
            longest_wait_ms: self.longest_wait_ms.get(),
            offers: self.offers.get(),
            offers_missed: self.offers_missed.get(),
            notices_delivered: self.notices_delivered.get(),
            notices_failed: self.notices_failed.get(),
            notices_lost: self.notices_lost.get(),
            notices_waiting: self.notices_waiting.get(),
            store_bytes: self.store_bytes.get(),
            files: self.files.get(),
            file_bytes: self.file_bytes.get(),
            storage_state: self.storage_state.get(),
            disk_free_bytes: self.disk_free_bytes.get(),
            disk_reserve_bytes: self.disk_reserve_bytes.get(),
            checkpoint_bytes: self.checkpoint_bytes.get(),
            unsettled_bytes: self.unsettled_bytes.get(),
            ..MetricsSnapshot::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_stands_in_the_snapshot_and_survives_json() {
        let m = Metrics::new();
        m.connected();
        m.envelope(300);
        m.refuse(3);
        m.refuse(999);
        m.socket_closed("slow");
        m.committed(5);
        m.commit_latency.record(1_500);
        let s = m.snapshot();
        assert_eq!((s.connections.open, s.messages.envelopes_in, s.messages.bytes_in), (1, 1, 300));
        assert_eq!(
            s.messages.refused.into_iter().collect::<Vec<_>>(),
            [("other".into(), 1), ("rate_limited".into(), 1)]
        );
        assert_eq!(s.connections.closed["slow"], 1);
        assert_eq!((s.batch.total.max, s.commit_latency.minute.count), (5, 1));
        let s = m.snapshot();
        let back: MetricsSnapshot = serde_json::from_str(&serde_json::to_string(&s).unwrap()).unwrap();
        assert_eq!(back, s);
    }
}
