//! What types can't express: ranges, and keys that only make sense together.

use std::net::IpAddr;

use super::{
    Config,
    types::{Push, Storage},
    webhook,
};
use kefu_net::origin::{self, OriginError};

/// Something wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which, such as `robot.sites.web.people_hours`.
    pub path: String,
    /// What, and what to do.
    pub message: String,
}

impl Problem {
    /// A problem of the value at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

/// Every problem of a configuration whose types are right.
pub(super) fn check(c: &Config) -> Vec<Problem> {
    let mut bad = Vec::new();
    ranges(c, &mut bad);
    retention(c, &mut bad);
    files(c, &mut bad);
    server(c, &mut bad);
    storage(c, &mut bad);
    blobs(&c.storage, &mut bad);
    webhook::check(&c.webhook, &mut bad);
    push(&c.push, &mut bad);
    for (key, dir) in [("robot.key_dir", &c.robot.key_dir), ("robot.day_key_dir", &c.robot.day_key_dir)] {
        if !dir.is_empty() && !dir.starts_with('/') {
            bad.push(Problem::new(key, format!("{dir:?} is not an absolute path")));
        }
    }
    match (c.tls.cert.is_empty(), c.tls.key.is_empty()) {
        (false, true) => {
            bad.push(Problem::new("tls.cert", "a certificate needs its private key: set key in [tls], too"));
        }
        (true, false) => {
            bad.push(Problem::new("tls.key", "a private key needs its certificate: set cert in [tls], too"));
        }
        _ => {}
    }
    bad
}

/// What storage is named by.
const STORAGE: [&str; 7] = [
    "redb:",
    "redis://",
    "rediss://",
    "redis+sentinel://",
    "rediss+sentinel://",
    "redis+cluster://",
    "rediss+cluster://",
];

fn storage(c: &Config, bad: &mut Vec<Problem>) {
    let s = &c.storage;
    if !STORAGE.iter().any(|scheme| s.url.starts_with(scheme)) {
        // the rest may hold a password
        let scheme = s.url.split(':').next().unwrap_or("");
        let message = format!(
            "{scheme:?} is not a storage type of this kefu: write \"redb:\" or \"redb:/path/to/file\", or \
             \"redis://host:6379\" to share a Redis with other servers"
        );
        bad.push(Problem::new("storage.url", message));
    }
    if s.prefix.is_empty() || s.prefix.len() > 64 || s.prefix.contains(['{', '}', ' ']) {
        bad.push(Problem::new("storage.prefix", "1 to 64 characters, without spaces and braces, such as \"kefu:\""));
    }
    let files = [
        ("storage.password_file", &s.password_file),
        ("storage.sentinel_password_file", &s.sentinel_password_file),
        ("storage.ca", &s.ca),
        ("storage.s3_key_file", &s.s3_key_file),
        ("storage.s3_ca", &s.s3_ca),
    ];
    for (key, file) in files {
        if !file.is_empty() && !file.starts_with('/') {
            bad.push(Problem::new(key, format!("{file:?} is not an absolute path")));
        }
    }
    if s.url.starts_with("rediss") && s.ca.is_empty() {
        let message =
            "TLS needs the certificates to trust: name a PEM file in ca, such as /etc/ssl/certs/ca-certificates.crt";
        bad.push(Problem::new("storage.url", message));
    }
}

/// Where files are, and all that a bucket needs.
fn blobs(s: &Storage, bad: &mut Vec<Problem>) {
    if s.bucket().is_none() {
        if !s.blobs.is_empty() && !s.blobs.starts_with('/') {
            let message = format!("{:?} is neither an absolute path nor s3://bucket/prefix", s.blobs);
            bad.push(Problem::new("storage.blobs", message));
        } else if !s.blobs.is_empty() && s.is_shared() {
            let message = "servers that share a Redis have no directory in common: write s3://bucket/prefix, or leave it empty, \
                           and nobody sends files";
            bad.push(Problem::new("storage.blobs", message));
        }
        return;
    }
    for (key, value, what) in [
        ("storage.s3_endpoint", &s.s3_endpoint, "the address of the store, such as https://minio.example:9000"),
        ("storage.s3_key_file", &s.s3_key_file, "the file with the id of the key and its secret, a line each"),
        ("storage.s3_region", &s.s3_region, "the region of the bucket, such as us-east-1"),
    ] {
        if value.is_empty() {
            bad.push(Problem::new(key, format!("files in a bucket need this: {what}")));
        }
    }
    if !s.s3_region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        bad.push(Problem::new("storage.s3_region", "a region has letters, digits and -, such as us-east-1"));
    }
    let Ok(endpoint) = origin::normalised(&s.s3_endpoint) else {
        if !s.s3_endpoint.is_empty() {
            let message = format!("{:?} must be only https://host or https://host:port", s.s3_endpoint);
            bad.push(Problem::new("storage.s3_endpoint", message));
        }
        return;
    };
    if endpoint.starts_with("http:") && !s.s3_plain_http && !is_loopback(&endpoint) {
        let message =
            "without TLS, anyone on the way can remove or exchange files: write https://, or set s3_plain_http = true";
        bad.push(Problem::new("storage.s3_endpoint", message));
    }
    if endpoint.starts_with("https:") && s.bucket_ca().is_none() {
        let message =
            "TLS needs the certificates to trust: name a PEM file in s3_ca, such as /etc/ssl/certs/ca-certificates.crt";
        bad.push(Problem::new("storage.s3_ca", message));
    }
}

fn push(p: &Push, bad: &mut Vec<Problem>) {
    if p.enabled && !["mailto:", "https:"].iter().any(|scheme| p.contact.starts_with(scheme)) {
        let message = "push services want to know whom to write to: set it to \"mailto:\" and an address, or to a page";
        bad.push(Problem::new("push.contact", message));
    }
    if !p.contact.bytes().all(|b| b.is_ascii_graphic()) {
        bad.push(Problem::new("push.contact", "only letters, digits and signs of ASCII, without spaces"));
    }
    if let Some(host) =
        p.hosts.iter().find(|host| host.contains(['/', ':']) || host.bytes().any(|b| b.is_ascii_uppercase()))
    {
        bad.push(Problem::new(
            "push.hosts",
            format!("{host:?}: write hosts in small letters, without https:// and port"),
        ));
    }
    if !p.ca.is_empty() && !p.ca.starts_with('/') {
        bad.push(Problem::new("push.ca", format!("{:?} is not an absolute path", p.ca)));
    }
}

/// Whether an origin is this machine.
fn is_loopback(origin: &str) -> bool {
    let authority = origin.split_once("://").map_or("", |(_, authority)| authority);
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next(),
        None => authority.split(':').next(),
    };
    let host = host.unwrap_or_default();
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

fn ranges(c: &Config, bad: &mut Vec<Problem>) {
    let (s, d, l, r) = (&c.server, &c.desk, &c.limits, &c.robot);
    for (section, key, value, least, most, unit) in [
        ("server", "max_connections", s.max_connections, 16, 1_000_000, ""),
        ("server", "connections_per_address", s.connections_per_address, 1, 1_000_000, ""),
        ("storage", "ack_replicas", c.storage.ack_replicas, 0, 5, ""),
        ("storage", "cache_mb", c.storage.cache_mb, 8, 65_536, " MiB"),
        ("storage", "reserve_mb", c.storage.reserve_mb, 0, 16_777_216, " MiB"),
        ("desk", "offer_seconds", d.offer_seconds, 5, 600, " seconds"),
        ("desk", "grace_seconds", d.grace_seconds, 5, 3_600, " seconds"),
        ("desk", "capacity", d.capacity, 1, 1_000, ""),
        ("conversations", "close_after_idle_hours", c.conversations.close_after_idle_hours, 0, 87_600, " hours"),
        ("conversations", "missed_after_days", c.conversations.missed_after_days, 0, 3_650, " days"),
        ("retention", "closed_days", c.retention.closed_days, 0, 36_500, " days"),
        ("files", "max_mb", c.files.max_mb, 0, MAX_FILE_MB, " MiB"),
        ("files", "visitor_mb_per_day", c.files.visitor_mb_per_day, 1, 1_000_000, " MiB"),
        ("files", "address_mb_per_day", c.files.address_mb_per_day, 1, 10_000_000, " MiB"),
        ("files", "agent_mb_per_day", c.files.agent_mb_per_day, 1, 10_000_000, " MiB"),
        ("files", "total_gb", c.files.total_gb, 0, 10_000_000, " GiB"),
        ("limits", "visitor_messages_per_minute", l.visitor_messages_per_minute, 1, 100_000, ""),
        ("limits", "visitor_burst", l.visitor_burst, 1, 100_000, ""),
        ("limits", "address_messages_per_minute", l.address_messages_per_minute, 1, 10_000_000, ""),
        ("limits", "conversations_per_hour", l.conversations_per_hour, 1, 1_000_000, ""),
        ("limits", "agent_messages_per_minute", l.agent_messages_per_minute, 1, 100_000, ""),
        ("limits", "visitor_conversations_per_hour", l.visitor_conversations_per_hour, 1, 1_000_000, ""),
        ("limits", "visitor_changes_per_hour", l.visitor_changes_per_hour, 1, 1_000_000, ""),
        ("limits", "address_changes_per_hour", l.address_changes_per_hour, 1, 10_000_000, ""),
        ("limits", "visitor_keys_per_hour", l.visitor_keys_per_hour, 1, 1_000_000, ""),
        ("limits", "address_keys_per_hour", l.address_keys_per_hour, 1, 10_000_000, ""),
        ("limits", "visitor_kb_per_day", l.visitor_kb_per_day, 64, 100_000_000, " KiB"),
        ("limits", "address_mb_per_day", l.address_mb_per_day, 1, 1_000_000, " MiB"),
        ("limits", "visitor_records_per_day", l.visitor_records_per_day, 20, 100_000_000, ""),
        ("limits", "address_records_per_day", l.address_records_per_day, 20, 1_000_000_000, ""),
        ("limits", "conversation_mb", l.conversation_mb, 1, 100_000, " MiB"),
        ("limits", "conversation_records", l.conversation_records, 100, 1_000_000_000, ""),
        ("limits", "visitor_reads_per_minute", l.visitor_reads_per_minute, 10, 1_000_000, ""),
        ("limits", "address_reads_per_minute", l.address_reads_per_minute, 10, 10_000_000, ""),
        ("limits", "agent_reads_per_minute", l.agent_reads_per_minute, 10, 1_000_000, ""),
        ("robot", "threshold", r.threshold, 1, 99, " percent"),
        ("robot", "knowledge", r.knowledge, 1, 100, " percent"),
        ("robot", "margin", r.margin, 0, 50, " percent"),
        ("robot", "failed_turns", r.failed_turns, 1, 10, ""),
        ("push", "after_seconds", c.push.after_seconds, 1, 3_600, " seconds"),
        ("directory", "freshness_days", c.directory.freshness_days, 1, 180, " days"),
    ] {
        if !(least..=most).contains(&value) {
            let message = format!("{key} is {value}; it must be between {least} and {most}{unit}");
            bad.push(Problem::new(format!("{section}.{key}"), message));
        }
    }
}

/// Largest file of a site.
const MAX_FILE_MB: u32 = 2_048;

fn files(c: &Config, bad: &mut Vec<Problem>) {
    for (site, mb) in &c.files.sites {
        if *mb > MAX_FILE_MB {
            let message = format!("{site} is {mb}; it must be between 0 and {MAX_FILE_MB} MiB");
            bad.push(Problem::new("files.sites", message));
        }
    }
    for (site, gb) in &c.files.site_totals {
        if *gb == 0 || *gb > 10_000_000 {
            let message = format!("{site} is {gb}; it must be between 1 and 10000000 GiB");
            bad.push(Problem::new("files.site_totals", message));
        }
    }
}

fn retention(c: &Config, bad: &mut Vec<Problem>) {
    for (site, days) in &c.retention.sites {
        if *days > 36_500 {
            bad.push(Problem::new("retention.sites", format!("{site} is {days}; it must be between 0 and 36500 days")));
        }
    }
}

fn server(c: &Config, bad: &mut Vec<Problem>) {
    let s = &c.server;
    if s.plain_http && !s.listen.ip().to_canonical().is_loopback() && s.trusted_proxies.is_empty() {
        let message = format!(
            "plain HTTP on {} would let anyone on the network read and change pages and passwords: listen on 127.0.0.1, \
             or name the TLS proxy in front of kefu in trusted_proxies, or set plain_http = false",
            s.listen
        );
        bad.push(Problem::new("server.plain_http", message));
    }
    if let Err(message) = public_url(&s.public_url) {
        bad.push(Problem::new("server.public_url", message));
    }
}

/// `http(s)://host[:port]`, or empty.
fn public_url(url: &str) -> Result<(), String> {
    match origin::normalised(url) {
        _ if url.is_empty() => Ok(()),
        Ok(_) => Ok(()),
        Err(OriginError(why)) => {
            Err(format!("{url:?} is not understood ({why}): it must be only https://host or https://host:port"))
        }
    }
}
