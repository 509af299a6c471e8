//! What a measurement found, as a table or as JSON.

use serde::Serialize;

pub use super::{report_overload::Overload, report_read::Read};
use crate::loadgen::Interval;

/// Every figure a measurement may give; null where it does not apply.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Name of the measurement.
    pub command: &'static str,
    /// Open connections.
    pub connections: Option<u64>,
    /// Acknowledged as durable to the sender and delivered to the other side, in the time measured.
    pub messages: Option<u64>,
    /// Messages per second.
    pub messages_per_second: Option<f64>,
    /// Processor time of the server for a million of them, user and system.
    pub server_cpu_seconds_per_million: Option<f64>,
    /// Whether that is until everything was in the database; otherwise it is that of the time measured, with work left for
    /// later.
    pub settled: Option<bool>,
    /// Of that, what bringing the log to the database cost.
    pub checkpoint_cpu_seconds_per_million: Option<f64>,
    /// Processor time of the server in the time measured, of one core.
    pub server_cpu_percent: Option<f64>,
    /// Processor time of the generator for a million messages.
    pub generator_cpu_seconds_per_million: Option<f64>,
    /// From sending (at a rate: from when it should have been sent) to the other side's socket.
    pub deliver_p50_ms: Option<f64>,
    /// The 99th percentile, ms.
    pub deliver_p99_ms: Option<f64>,
    /// The 99.9th percentile, ms.
    pub deliver_p999_ms: Option<f64>,
    /// How late the generator itself was; part of the latencies above.
    pub generator_lag_p99_ms: Option<f64>,
    /// Messages that did not arrive where they should have.
    pub lost: Option<u64>,
    /// Records that came twice.
    pub doubled: Option<u64>,
    /// Envelopes that were not sealed when they were to be sent: above 0 the generator was slower than it should be.
    pub sealed_late: Option<u64>,
    /// Envelopes of a long run that were sealed between messages: part of the generator's processor time.
    pub sealed_between: Option<u64>,
    /// Mbit/s of files that the server took meanwhile.
    pub uploaded_mbits: Option<f64>,
    /// The most memory that the server ever had, MB.
    pub peak_rss_mb: Option<f64>,
    /// The time measured in parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub intervals: Vec<Interval>,
    /// Resident memory of the server for each connection.
    pub rss_bytes_per_connection: Option<f64>,
    /// Answered heartbeats.
    pub beats: Option<u64>,
    /// Processor time of the server for one of them.
    pub cpu_us_per_beat: Option<f64>,
    /// Processor time of the server for one connection that was lost and came back.
    pub cpu_us_per_reconnect: Option<f64>,
    /// What the check of one signature takes on this machine, which each of them has, µs.
    pub signature_us: Option<f64>,
    /// Until all were back.
    pub all_back_seconds: Option<f64>,
    /// Messages in the store before the start.
    pub stored_messages: Option<u64>,
    /// From the start of the process to its first answer: half of the starts took at most this.
    pub start_median_ms: Option<f64>,
    /// Slowest start, ms.
    pub start_slowest_ms: Option<f64>,
    /// The server's processor time and memory could not be seen from here.
    #[serde(skip)]
    pub unseen: bool,
    /// Results of the disk measurement.
    pub fsync: Option<Vec<Sync>>,
    /// What an agent waited for.
    pub read: Option<Read>,
    /// What an overload did.
    pub overload: Option<Overload>,
    /// What stored messages need on the disk.
    pub disk: Option<Disk>,
    /// Of the machine in the last minute: above 2 with two cores, others were at work.
    pub load_average: f64,
}

/// Writes of one size, each made durable.
#[derive(Debug, Clone, Serialize)]
pub struct Sync {
    /// Bytes per write.
    pub bytes: u64,
    /// How many in a second.
    pub per_second: f64,
    /// Half of them took at most this.
    pub p50_ms: f64,
    /// The 99th percentile, ms.
    pub p99_ms: f64,
}

/// Stored messages on the disk, once all of them are in the database.
#[derive(Debug, Clone, Serialize)]
pub struct Disk {
    /// Bytes of their envelopes.
    pub message_bytes: u64,
    /// Bytes that the file of the database occupies.
    pub database_bytes: u64,
    /// Bytes that the files of the log occupy: they are reused, and do not grow with what is stored.
    pub log_bytes: u64,
    /// Bytes of the database for each byte of an envelope.
    pub database_bytes_per_message_byte: f64,
}

impl Report {
    /// Prints to standard output.
    pub fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        let whole = |n: Option<u64>| n.map(|n| n.to_string());
        let rounded = |n: Option<f64>, digits: usize| n.map(|n| format!("{n:.digits$}"));
        let lines = [
            ("connections", whole(self.connections)),
            ("messages", whole(self.messages)),
            ("messages per second", rounded(self.messages_per_second, 0)),
            ("server CPU s per million messages", rounded(self.server_cpu_seconds_per_million, 1)),
            ("of that, checkpoints", rounded(self.checkpoint_cpu_seconds_per_million, 1)),
            ("until all is in the database", self.settled.map(|yes| if yes { "yes" } else { "no" }.to_owned())),
            ("server CPU, % of a core", rounded(self.server_cpu_percent, 1)),
            ("generator CPU s per million messages", rounded(self.generator_cpu_seconds_per_million, 1)),
            ("delivered, p50 ms", rounded(self.deliver_p50_ms, 2)),
            ("delivered, p99 ms", rounded(self.deliver_p99_ms, 2)),
            ("delivered, p99.9 ms", rounded(self.deliver_p999_ms, 2)),
            ("generator late, p99 ms", rounded(self.generator_lag_p99_ms, 2)),
            ("lost", whole(self.lost)),
            ("doubled", whole(self.doubled)),
            ("sealed late", whole(self.sealed_late)),
            ("sealed between messages", whole(self.sealed_between.filter(|n| *n > 0))),
            ("files meanwhile, Mbit/s", rounded(self.uploaded_mbits, 0)),
            ("server memory at most, MB", rounded(self.peak_rss_mb, 0)),
            ("server memory, bytes per connection", rounded(self.rss_bytes_per_connection, 0)),
            ("heartbeats", whole(self.beats)),
            ("server CPU µs per heartbeat", rounded(self.cpu_us_per_beat, 1)),
            ("server CPU µs per reconnect", rounded(self.cpu_us_per_reconnect, 1)),
            ("of that, the check of a signature", rounded(self.signature_us, 1)),
            ("all back after s", rounded(self.all_back_seconds, 2)),
            ("stored messages", whole(self.stored_messages)),
            ("bytes of their envelopes", whole(self.disk.as_ref().map(|d| d.message_bytes))),
            ("bytes of the database", whole(self.disk.as_ref().map(|d| d.database_bytes))),
            ("bytes of the log", whole(self.disk.as_ref().map(|d| d.log_bytes))),
            (
                "database bytes per envelope byte",
                rounded(self.disk.as_ref().map(|d| d.database_bytes_per_message_byte), 3),
            ),
            ("first answer after start, median ms", rounded(self.start_median_ms, 1)),
            ("first answer after start, slowest ms", rounded(self.start_slowest_ms, 1)),
            ("load average", rounded(Some(self.load_average), 2)),
        ];
        let overload = self.overload.iter().flat_map(Overload::lines);
        let read = self.read.iter().flat_map(Read::lines);
        for (name, value) in overload.chain(read).chain(lines) {
            if let Some(value) = value {
                println!("{name:<38} {value:>12}");
            }
        }
        if self.unseen {
            println!("{:<38} {:>12}", "server CPU and memory", "not measured");
        }
        for interval in &self.intervals {
            println!("{interval}");
        }
        for s in self.fsync.iter().flatten() {
            println!(
                "{:>8} B and a sync {:>10.0} /s {:>9.2} ms p50 {:>9.2} ms p99",
                s.bytes, s.per_second, s.p50_ms, s.p99_ms
            );
        }
        Ok(())
    }
}
