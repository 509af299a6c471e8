//! The text format that Prometheus reads (exposition format 0.0.4).

use std::fmt::{Display, Write};

use super::{MetricsSnapshot, Quantiles};

/// The `Content-Type` of the page.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page under construction; other modules add their values (`page.gauge("kefu_waiting", …)`).
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// Help and type of a family; its samples must follow. Names match `[a-z_][a-z0-9_]*`.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) -> &mut Self {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"))
    }

    /// One sample.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) -> &mut Self {
        let labels: Vec<String> = labels.iter().map(|(k, v)| format!("{k}=\"{}\"", escape(v))).collect();
        match labels.is_empty() {
            true => self.line(format_args!("{name} {value}")),
            false => self.line(format_args!("{name}{{{}}} {value}", labels.join(","))),
        }
    }

    /// A family of one gauge.
    pub fn gauge(&mut self, name: &str, help: &str, value: impl Display) -> &mut Self {
        self.family(name, "gauge", help).sample(name, &[], value)
    }

    /// A family of one counter.
    pub fn counter(&mut self, name: &str, help: &str, value: impl Display) -> &mut Self {
        self.family(name, "counter", help).sample(name, &[], value)
    }

    /// A family of counters that differ in one label.
    pub fn counters<'a>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'a String, &'a u64)>,
    ) -> &mut Self {
        self.family(name, "counter", help);
        for (value, n) in values {
            self.sample(name, &[(label, value)], n);
        }
        self
    }

    /// A summary: quantiles of the last minute, sum and count since the start, both divided by `unit`.
    pub fn summary(&mut self, name: &str, help: &str, minute: &Quantiles, total: &Quantiles, unit: f64) -> &mut Self {
        self.family(name, "summary", help);
        for (q, v) in [("0.5", minute.p50), ("0.99", minute.p99), ("0.999", minute.p999), ("1", minute.max)] {
            self.sample(name, &[("quantile", q)], v as f64 / unit);
        }
        self.sample(&format!("{name}_sum"), &[], total.sum as f64 / unit);
        self.sample(&format!("{name}_count"), &[], total.count)
    }

    /// The finished page.
    pub fn finish(self) -> String {
        self.0
    }

    fn line(&mut self, text: impl Display) -> &mut Self {
        // writing to a String has no way to fail
        let _ = writeln!(self.0, "{text}");
        self
    }
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The whole page of what [`super::Metrics`] counts. What is said of the company, not of this server, one of several servers
/// says for all, so that sums over servers are right.
pub fn render_prometheus(s: &MetricsSnapshot, speaks_for_all: bool) -> String {
    let mut page = Page::default();
    write_metrics(&mut page, s);
    if speaks_for_all {
        write_company(&mut page, s);
    }
    page.finish()
}

fn write_company(page: &mut Page, s: &MetricsSnapshot) {
    page.gauge("kefu_conversations_missed", "Missed conversations that no agent has handled yet.", s.missed)
        .gauge(
            "kefu_longest_wait_seconds",
            "Longest wait in a queue, updated once a minute.",
            s.longest_wait_ms as f64 / 1e3,
        )
        .gauge("kefu_store_bytes", "Bytes of the database and its log on disk, or of Redis in memory.", s.store_bytes)
        .gauge("kefu_files", "Files that people sent.", s.files)
        .gauge("kefu_file_bytes", "Bytes of the files that people sent, sealed.", s.file_bytes);
}

/// The same, onto a page to which more is added.
pub fn write_metrics(page: &mut Page, s: &MetricsSnapshot) {
    let (c, m, p) = (&s.connections, &s.messages, &s.process);
    let micros = 1e6;
    page.gauge("process_start_time_seconds", "When the server started.", s.started_ms as f64 / 1e3)
        .gauge("process_resident_memory_bytes", "Resident memory.", p.rss_bytes)
        .counter("process_cpu_seconds_total", "Processor time, user and system.", p.cpu_seconds)
        .gauge("process_open_fds", "Open files and sockets.", p.open_files)
        .family("kefu_sockets", "gauge", "Authenticated WebSockets.")
        .sample("kefu_sockets", &[("side", "visitor")], c.visitors)
        .sample("kefu_sockets", &[("side", "agent")], c.agents)
        .gauge("kefu_connections", "TCP connections.", c.open)
        .counter("kefu_connections_accepted_total", "TCP connections accepted.", c.accepted)
        .counter("kefu_connections_turned_away_total", "TCP connections refused because of a limit.", c.turned_away)
        .counter("kefu_handshakes_failed_total", "Connections that failed in TLS or HTTP.", c.handshakes_failed)
        .counters("kefu_sockets_closed_total", "WebSockets by how they ended.", "cause", &c.closed)
        .counter("kefu_http_requests_total", "HTTP responses.", c.http_requests)
        .counter("kefu_api_requests_total", "Requests under /api/v1 and for sockets.", c.api_requests)
        .counter("kefu_resumes_total", "Sockets that resumed conversations.", c.resumes)
        .counter("kefu_envelopes_received_total", "Envelopes that clients sent.", m.envelopes_in)
        .counter("kefu_records_sent_total", "Records sent to sockets.", m.records_out)
        .counter("kefu_records_written_total", "Records written to disk.", m.records_written)
        .counter("kefu_commits_total", "Commits to disk.", m.commits)
        .counter("kefu_received_bytes_total", "Payload read from WebSockets.", m.bytes_in)
        .counter("kefu_sent_bytes_total", "Payload written to WebSockets.", m.bytes_out)
        .counter("kefu_duplicates_total", "Envelopes that were stored already.", m.duplicates)
        .counters("kefu_refused_total", "Refused requests and envelopes.", "error", &m.refused)
        .counters("kefu_limited_total", "Refusals by the limit that was reached.", "limit", &m.limited)
        .counter("kefu_conversations_opened_total", "Conversations opened.", s.conversations_opened)
        .counter(
            "kefu_conversations_missed_total",
            "Conversations closed because nobody had answered.",
            s.conversations_missed,
        )
        .counter("kefu_offers_total", "Offers made to agents.", s.offers)
        .counter("kefu_offers_missed_total", "Offers that expired.", s.offers_missed)
        .counter("kefu_notices_delivered_total", "Messages that webhooks took.", s.notices_delivered)
        .counter("kefu_notices_failed_total", "Tries to deliver a message to a webhook that failed.", s.notices_failed)
        .counter(
            "kefu_notices_lost_total",
            "Notices that no webhook was told: too many, or for too long.",
            s.notices_lost,
        )
        .gauge("kefu_notices_waiting", "Notices that wait for their webhook.", s.notices_waiting)
        .gauge("kefu_unsettled_bytes", "Bytes in the log that are not in the database yet.", s.unsettled_bytes)
        .counter("kefu_checkpoint_bytes_total", "Bytes brought from the log to the database.", s.checkpoint_bytes)
        .gauge("kefu_storage_state", "What can be stored: 0 everything, 1 little, 2 nothing.", s.storage_state)
        .gauge("kefu_disk_free_bytes", "Bytes free on the disk of the database.", s.disk_free_bytes)
        .gauge("kefu_disk_reserve_bytes", "Bytes that must stay free there.", s.disk_reserve_bytes)
        .summary("kefu_commit_records", "Records per commit.", &s.batch.minute, &s.batch.total, 1.0);
    for (name, help, l) in [
        (
            "kefu_commit_latency_seconds",
            "From taking batches to their being safe, on disk and on the replicas that must have them.",
            &s.commit_latency,
        ),
        ("kefu_checkpoint_seconds", "Bringing the log to the database.", &s.checkpoint),
        ("kefu_delivery_latency_seconds", "From reading an envelope to the outboxes.", &s.delivery_latency),
    ] {
        page.summary(name, help, &l.minute, &l.total, micros);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::Metrics;

    /// A strict reader of the format: every sample belongs to the family above it, every family comes once.
    fn read(page: &str) -> BTreeMap<String, f64> {
        let name_ok = |n: &str| {
            n.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && n.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let (mut families, mut family, mut kind) = (BTreeSet::new(), String::new(), String::new());
        let mut samples = BTreeMap::new();
        assert!(page.ends_with('\n'));
        for line in page.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                family = rest.split_once(' ').expect("help has a text").0.to_owned();
                assert!(name_ok(&family) && families.insert(family.clone()), "{line}");
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, k) = rest.split_once(' ').unwrap();
                assert_eq!(name, family);
                assert!(["gauge", "counter", "summary"].contains(&k), "{line}");
                assert!(k != "counter" || name.ends_with("_total"), "{line}");
                kind = k.to_owned();
            } else {
                let (key, value) = line.rsplit_once(' ').unwrap();
                let name = key.split('{').next().unwrap();
                let base = if kind == "summary" {
                    name.strip_suffix("_sum").or(name.strip_suffix("_count")).unwrap_or(name)
                } else {
                    name
                };
                assert_eq!(base, family, "{line}");
                if let Some(labels) = key.strip_prefix(name).filter(|l| !l.is_empty()) {
                    assert!(labels.starts_with('{') && labels.ends_with("\"}"), "{line}");
                }
                assert!(samples.insert(key.to_owned(), value.parse().expect(line)).is_none(), "twice: {line}");
            }
        }
        samples
    }

    #[test]
    fn the_page_is_valid_and_says_what_was_counted() {
        let m = Metrics::new();
        m.envelope(100);
        m.refuse(3);
        m.socket_closed("slow");
        m.commit_latency.record(250_000);
        let samples = read(&render_prometheus(&m.snapshot(), true));
        assert_eq!(samples["kefu_envelopes_received_total"], 1.0);
        assert_eq!(samples["kefu_refused_total{error=\"rate_limited\"}"], 1.0);
        assert_eq!(samples["kefu_sockets_closed_total{cause=\"slow\"}"], 1.0);
        assert_eq!(samples["kefu_commit_latency_seconds{quantile=\"1\"}"], 0.25);
        assert_eq!(samples["kefu_commit_latency_seconds_count"], 1.0);
        assert!(samples.contains_key("kefu_conversations_missed"));
        let of_one_server = read(&render_prometheus(&m.snapshot(), false));
        assert!(!of_one_server.contains_key("kefu_conversations_missed"), "another server says it");
        assert_eq!(of_one_server["kefu_envelopes_received_total"], 1.0);
    }

    #[test]
    fn labels_and_help_are_escaped() {
        let mut page = Page::default();
        page.family("x", "gauge", "two\nlines").sample("x", &[("team", "a\"b\\c\nd")], 1);
        assert_eq!(page.finish(), "# HELP x two\\nlines\n# TYPE x gauge\nx{team=\"a\\\"b\\\\c\\nd\"} 1\n");
    }
}
