//! The numbers at one moment, as JSON carries them. The command line reads what the server writes, so a field missing
//! in an older or newer one must not be an error.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Process, Quantiles};

/// Everything the server counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MetricsSnapshot {
    /// When the server started, ms since 1970.
    pub started_ms: u64,
    /// How long it has run, seconds.
    pub uptime_seconds: u64,
    /// CPU time, memory and threads.
    pub process: Process,
    /// Connections and sockets.
    pub connections: Connections,
    /// Messages, records and bytes.
    pub messages: Messages,
    /// Conversations begun.
    pub conversations_opened: u64,
    /// Conversations that were closed because nobody had answered.
    pub conversations_missed: u64,
    /// Missed conversations that no agent has handled yet, regardless of when they were missed.
    pub missed: u64,
    /// How long the first of all queues has waited, ms; seen each minute.
    pub longest_wait_ms: u64,
    /// Offers made to agents.
    pub offers: u64,
    /// Offers that ran out.
    pub offers_missed: u64,
    /// Messages that webhooks took.
    pub notices_delivered: u64,
    /// Tries that failed.
    pub notices_failed: u64,
    /// Notices that no webhook was told.
    pub notices_lost: u64,
    /// Notices that wait for their webhook.
    pub notices_waiting: u64,
    /// Bytes of the database on disk.
    pub store_bytes: u64,
    /// Files that people sent; counted each minute.
    pub files: u64,
    /// Bytes of these files.
    pub file_bytes: u64,
    /// What can be stored: 0 everything, 1 little, 2 nothing.
    pub storage_state: u64,
    /// Bytes free on the disk of the database.
    pub disk_free_bytes: u64,
    /// Bytes that must stay free there for everything to be stored.
    pub disk_reserve_bytes: u64,
    /// Records per commit.
    pub batch: Latency,
    /// From submitting to disk, µs.
    pub commit_latency: Latency,
    /// How long a checkpoint took, µs.
    pub checkpoint: Latency,
    /// Bytes that checkpoints brought from the log to the database.
    pub checkpoint_bytes: u64,
    /// Bytes that are in the log and not in the database yet.
    pub unsettled_bytes: u64,
    /// From reading an envelope to the outboxes, µs.
    pub delivery_latency: Latency,
}

/// Connections and sockets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Connections {
    /// Sockets of visitors.
    pub visitors: u64,
    /// Sockets of agents.
    pub agents: u64,
    /// TCP connections.
    pub open: u64,
    /// TCP connections so far.
    pub accepted: u64,
    /// Turned away over a limit.
    pub turned_away: u64,
    /// Failed before anything came of them.
    pub handshakes_failed: u64,
    /// Answers of the HTTP edge.
    pub http_requests: u64,
    /// Of these, requests under `/api/v1` and for sockets.
    #[serde(default)]
    pub api_requests: u64,
    /// Sockets that resumed conversations.
    pub resumes: u64,
    /// New TCP connections.
    pub per_second: Rates,
    /// WebSockets by how they ended; those that occurred.
    pub closed: BTreeMap<String, u64>,
}

/// Messages and what became of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Messages {
    /// Envelopes that clients sent.
    pub envelopes_in: u64,
    /// Records sent to sockets.
    pub records_out: u64,
    /// Records written.
    pub records_written: u64,
    /// Commits to disk.
    pub commits: u64,
    /// Payload bytes read.
    pub bytes_in: u64,
    /// Payload bytes written.
    pub bytes_out: u64,
    /// Envelopes that were stored already.
    pub duplicates: u64,
    /// Envelopes per second.
    pub per_second: Rates,
    /// Refusals by name of the error; those that occurred.
    pub refused: BTreeMap<String, u64>,
    /// Refusals by name of the limit that was met; those that occurred.
    pub limited: BTreeMap<String, u64>,
}

/// Events per second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rates {
    /// In the last complete second.
    pub last: f64,
    /// Over ten seconds.
    pub ten_seconds: f64,
    /// Over a minute.
    pub minute: f64,
}

/// A distribution lately and ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Latency {
    /// The last minute.
    pub minute: Quantiles,
    /// Since the start.
    pub total: Quantiles,
}

impl MetricsSnapshot {
    /// What both counted, but for distributions, which do not add up.
    pub(crate) fn add(&mut self, other: &Self) {
        // all fields are named, so that a new one is not forgotten here
        let Self {
            started_ms,
            uptime_seconds,
            process,
            connections,
            messages,
            conversations_opened,
            conversations_missed,
            missed,
            longest_wait_ms,
            offers,
            offers_missed,
            notices_delivered,
            notices_failed,
            notices_lost,
            notices_waiting,
            store_bytes,
            files,
            file_bytes,
            storage_state,
            disk_free_bytes,
            disk_reserve_bytes,
            batch: _,
            commit_latency: _,
            checkpoint: _,
            checkpoint_bytes,
            unsettled_bytes,
            delivery_latency: _,
        } = other;
        self.started_ms = self.started_ms.max(*started_ms);
        self.uptime_seconds = self.uptime_seconds.max(*uptime_seconds);
        self.process.add(process);
        self.connections.add(connections);
        self.messages.add(messages);
        for (sum, n) in [
            (&mut self.conversations_opened, conversations_opened),
            (&mut self.conversations_missed, conversations_missed),
            (&mut self.offers, offers),
            (&mut self.offers_missed, offers_missed),
            (&mut self.notices_delivered, notices_delivered),
            (&mut self.notices_failed, notices_failed),
            (&mut self.notices_lost, notices_lost),
            (&mut self.notices_waiting, notices_waiting),
            (&mut self.checkpoint_bytes, checkpoint_bytes),
            (&mut self.unsettled_bytes, unsettled_bytes),
        ] {
            *sum = sum.saturating_add(*n);
        }
        for (most, n) in [
            (&mut self.missed, missed),
            (&mut self.longest_wait_ms, longest_wait_ms),
            (&mut self.store_bytes, store_bytes),
            (&mut self.files, files),
            (&mut self.file_bytes, file_bytes),
            (&mut self.storage_state, storage_state),
            (&mut self.disk_free_bytes, disk_free_bytes),
            (&mut self.disk_reserve_bytes, disk_reserve_bytes),
        ] {
            *most = (*most).max(*n);
        }
    }
}

impl Connections {
    fn add(&mut self, other: &Self) {
        let Self {
            visitors,
            agents,
            open,
            accepted,
            turned_away,
            handshakes_failed,
            http_requests,
            api_requests,
            resumes,
            per_second,
            closed,
        } = other;
        for (sum, n) in [
            (&mut self.visitors, visitors),
            (&mut self.agents, agents),
            (&mut self.open, open),
            (&mut self.accepted, accepted),
            (&mut self.turned_away, turned_away),
            (&mut self.handshakes_failed, handshakes_failed),
            (&mut self.http_requests, http_requests),
            (&mut self.api_requests, api_requests),
            (&mut self.resumes, resumes),
        ] {
            *sum = sum.saturating_add(*n);
        }
        self.per_second.add(per_second);
        add_named(&mut self.closed, closed);
    }
}

impl Messages {
    fn add(&mut self, other: &Self) {
        let Self {
            envelopes_in,
            records_out,
            records_written,
            commits,
            bytes_in,
            bytes_out,
            duplicates,
            per_second,
            refused,
            limited,
        } = other;
        for (sum, n) in [
            (&mut self.envelopes_in, envelopes_in),
            (&mut self.records_out, records_out),
            (&mut self.records_written, records_written),
            (&mut self.commits, commits),
            (&mut self.bytes_in, bytes_in),
            (&mut self.bytes_out, bytes_out),
            (&mut self.duplicates, duplicates),
        ] {
            *sum = sum.saturating_add(*n);
        }
        self.per_second.add(per_second);
        add_named(&mut self.refused, refused);
        add_named(&mut self.limited, limited);
    }
}

impl Rates {
    fn add(&mut self, other: &Self) {
        self.last += other.last;
        self.ten_seconds += other.ten_seconds;
        self.minute += other.minute;
    }
}

fn add_named(all: &mut BTreeMap<String, u64>, more: &BTreeMap<String, u64>) {
    for (name, n) in more {
        let sum = all.entry(name.clone()).or_default();
        *sum = sum.saturating_add(*n);
    }
}
