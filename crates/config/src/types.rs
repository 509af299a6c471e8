//! The configuration as the rest of kefu reads it. `kefu.toml` explains the keys to people.

use std::{collections::BTreeMap, fmt, net::SocketAddr};

use serde::{Deserialize, Serialize};

use super::{Cidr, robot::Robot, webhook::Webhook};
use kefu_net::origin;

/// The whole configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Listener, TLS mode, proxies, connection limits.
    pub server: Server,
    /// Certificate files.
    pub tls: Tls,
    /// Database location and cache.
    pub storage: Storage,
    /// Assignment of conversations to agents.
    pub desk: Desk,
    /// When conversations are closed.
    pub conversations: Conversations,
    /// When closed conversations are erased.
    pub retention: Retention,
    /// Files and pictures.
    pub files: Files,
    /// Rate limits.
    pub limits: Limits,
    /// The signed directory.
    pub directory: Directory,
    /// The robot.
    pub robot: Robot,
    /// Waking consoles that are closed.
    pub push: Push,
    /// The log.
    pub log: Log,
    /// Who is told when somebody waits.
    pub webhook: Vec<Webhook>,
}

/// `[server]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Where to listen.
    pub listen: SocketAddr,
    /// As configured; [`Config::public_url`] returns the value in effect.
    pub public_url: String,
    /// Serve plain HTTP instead of TLS.
    pub plain_http: bool,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<Cidr>,
    /// How long browsers remember to use https only, days.
    pub hsts_days: u32,
    /// Maximum number of connections.
    pub max_connections: u32,
    /// Maximum number of connections per address.
    pub connections_per_address: u32,
    /// Serve the demonstration page.
    pub demo: bool,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 8443)),
            public_url: String::new(),
            plain_http: false,
            trusted_proxies: Vec::new(),
            hsts_days: 365,
            max_connections: 20_000,
            connections_per_address: 64,
            demo: false,
        }
    }
}

/// `[tls]`. Both empty: the files in the data directory.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// PEM file of the certificate chain.
    pub cert: String,
    /// PEM file of the private key.
    pub key: String,
}

/// `[storage]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// `redb:`, `redb:<path>`, or an address of Redis or Valkey: `redis://`, `rediss://`, `redis+sentinel://`, `redis+cluster://`.
    pub url: String,
    /// File with the password of Redis; empty: none, or it is in the address.
    pub password_file: String,
    /// File with the password of the Sentinels, which have their own; empty: they ask for none.
    pub sentinel_password_file: String,
    /// PEM file with the authorities that are trusted for `rediss`; needed there.
    pub ca: String,
    /// What all keys in Redis begin with.
    pub prefix: String,
    /// Replicas of Redis that must have a message before it is acknowledged.
    pub ack_replicas: u32,
    /// Use a Redis whose settings can lose acknowledged messages, or can't be read.
    pub unchecked: bool,
    /// Page cache, MiB.
    pub cache_mb: u32,
    /// What must stay free on the disk, MiB; 0: by its size.
    pub reserve_mb: u32,
    /// Where the files are that visitors and agents send: a directory, or `s3://bucket/prefix`; empty: `blobs` in the data directory.
    pub blobs: String,
    /// The store of `s3://`: `https://host[:port]`.
    pub s3_endpoint: String,
    /// The region that its requests are signed for.
    pub s3_region: String,
    /// File with the id of its key and the secret, a line each.
    pub s3_key_file: String,
    /// PEM file with the authorities that are trusted for it; empty: `ca`.
    pub s3_ca: String,
    /// Use a store on another machine without TLS.
    pub s3_plain_http: bool,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            url: "redb:".into(),
            password_file: String::new(),
            sentinel_password_file: String::new(),
            ca: String::new(),
            prefix: "kefu:".into(),
            ack_replicas: 0,
            unchecked: false,
            cache_mb: 64,
            reserve_mb: 0,
            blobs: String::new(),
            s3_endpoint: String::new(),
            s3_region: "us-east-1".into(),
            s3_key_file: String::new(),
            s3_ca: String::new(),
            s3_plain_http: false,
        }
    }
}

impl Storage {
    /// The file of `redb:<path>`; none: `kefu.redb` in the data directory.
    pub fn redb_path(&self) -> Option<&str> {
        self.url.strip_prefix("redb:").filter(|p| !p.is_empty())
    }

    /// Whether several servers can share it.
    pub fn is_shared(&self) -> bool {
        self.url.starts_with("redis")
    }

    /// `s3://bucket/prefix`, if files are in a bucket.
    pub fn bucket(&self) -> Option<&str> {
        Some(self.blobs.as_str()).filter(|blobs| blobs.starts_with("s3:"))
    }

    /// The authorities that are trusted for the bucket.
    pub fn bucket_ca(&self) -> Option<&str> {
        [&self.s3_ca, &self.ca].into_iter().map(String::as_str).find(|file| !file.is_empty())
    }
}

/// `[desk]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Desk {
    /// Pages accept by themselves.
    pub auto_accept: bool,
    /// Life of an offer, seconds.
    pub offer_seconds: u32,
    /// How long a vanished agent keeps their conversations, seconds.
    pub grace_seconds: u32,
    /// Conversations an agent gets at once.
    pub capacity: u32,
}

impl Default for Desk {
    fn default() -> Self {
        Self { auto_accept: true, offer_seconds: 30, grace_seconds: 20, capacity: 8 }
    }
}

/// `[conversations]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conversations {
    /// Idle time after which the server closes a conversation, hours; 0: never.
    pub close_after_idle_hours: u32,
    /// Waiting time in a queue after which the server closes a conversation and lists it as missed, days; 0: never.
    pub missed_after_days: u32,
}

impl Default for Conversations {
    fn default() -> Self {
        Self { close_after_idle_hours: 24, missed_after_days: 7 }
    }
}

/// `[retention]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// How long closed conversations are kept after their last record, days; 0: forever.
    pub closed_days: u32,
    /// The same for single sites, by id.
    pub sites: BTreeMap<String, u32>,
}

/// `[files]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// Largest file, MiB; 0: nobody sends files.
    pub max_mb: u32,
    /// The same for single sites, by id.
    pub sites: BTreeMap<String, u32>,
    /// MiB that one visitor may send.
    pub visitor_mb_per_day: u32,
    /// MiB that all visitors at one address may send.
    pub address_mb_per_day: u32,
    /// MiB that one agent may send.
    pub agent_mb_per_day: u32,
    /// All files together, GiB; 0: as much as the disk has.
    pub total_gb: u32,
    /// All files of single sites together, GiB, by id.
    pub site_totals: BTreeMap<String, u32>,
}

impl Default for Files {
    fn default() -> Self {
        Self {
            max_mb: 20,
            sites: BTreeMap::new(),
            visitor_mb_per_day: 200,
            address_mb_per_day: 2_000,
            agent_mb_per_day: 10_000,
            total_gb: 0,
            site_totals: BTreeMap::new(),
        }
    }
}

/// `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Messages of one visitor.
    pub visitor_messages_per_minute: u32,
    /// Messages of one visitor at once.
    pub visitor_burst: u32,
    /// Messages of all visitors at one address.
    pub address_messages_per_minute: u32,
    /// New conversations from one address.
    pub conversations_per_hour: u32,
    /// Messages of one agent.
    pub agent_messages_per_minute: u32,
    /// New conversations of one visitor.
    pub visitor_conversations_per_hour: u32,
    /// Conversations closed and opened again, by one visitor.
    pub visitor_changes_per_hour: u32,
    /// Conversations closed and reopened, by all visitors at one address.
    pub address_changes_per_hour: u32,
    /// Changes of keys, by one visitor.
    pub visitor_keys_per_hour: u32,
    /// Changes of keys, by all visitors at one address.
    pub address_keys_per_hour: u32,
    /// KiB that one visitor may store.
    pub visitor_kb_per_day: u32,
    /// MiB that all visitors at one address may store.
    pub address_mb_per_day: u32,
    /// Records that one visitor may store.
    pub visitor_records_per_day: u32,
    /// Records that all visitors at one address may store.
    pub address_records_per_day: u32,
    /// MiB after which a conversation takes no more from its visitor.
    pub conversation_mb: u32,
    /// Records after which a conversation takes no more from its visitor.
    pub conversation_records: u32,
    /// Read requests of one visitor.
    pub visitor_reads_per_minute: u32,
    /// Read requests of all visitors and unauthenticated clients at one address.
    pub address_reads_per_minute: u32,
    /// Read requests of one agent.
    pub agent_reads_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            visitor_messages_per_minute: 40,
            visitor_burst: 20,
            address_messages_per_minute: 600,
            conversations_per_hour: 20,
            agent_messages_per_minute: 300,
            visitor_conversations_per_hour: 10,
            visitor_changes_per_hour: 20,
            address_changes_per_hour: 300,
            visitor_keys_per_hour: 120,
            address_keys_per_hour: 2_000,
            visitor_kb_per_day: 8_192,
            address_mb_per_day: 64,
            visitor_records_per_day: 4_000,
            address_records_per_day: 20_000,
            conversation_mb: 16,
            conversation_records: 20_000,
            visitor_reads_per_minute: 300,
            address_reads_per_minute: 3_000,
            agent_reads_per_minute: 1_200,
        }
    }
}

impl Limits {
    /// Limits that are never reached, for measurements.
    pub fn none() -> Self {
        const MANY: u32 = 1_000_000_000;
        Self {
            visitor_messages_per_minute: MANY,
            visitor_burst: MANY,
            address_messages_per_minute: MANY,
            conversations_per_hour: MANY,
            agent_messages_per_minute: MANY,
            visitor_conversations_per_hour: MANY,
            visitor_changes_per_hour: MANY,
            address_changes_per_hour: MANY,
            visitor_keys_per_hour: MANY,
            address_keys_per_hour: MANY,
            visitor_kb_per_day: MANY,
            address_mb_per_day: MANY,
            visitor_records_per_day: MANY,
            address_records_per_day: MANY,
            conversation_mb: MANY,
            conversation_records: MANY,
            visitor_reads_per_minute: MANY,
            address_reads_per_minute: MANY,
            agent_reads_per_minute: MANY,
        }
    }
}

/// `[directory]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Directory {
    /// How long a snapshot is good for, days.
    pub freshness_days: u32,
}

impl Default for Directory {
    fn default() -> Self {
        Self { freshness_days: 30 }
    }
}

/// `[push]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Push {
    /// Whether agents may have closed consoles woken.
    pub enabled: bool,
    /// Whom push services may write to.
    pub contact: String,
    /// Push services that are used, by host; `*.host`: all below it.
    pub hosts: Vec<String>,
    /// A wait is told after this time, seconds.
    pub after_seconds: u32,
    /// Whether they may be in a private network, and without TLS.
    pub allow_private: bool,
    /// PEM file with the authorities that are trusted; empty: those of the system.
    pub ca: String,
}

impl Default for Push {
    fn default() -> Self {
        let hosts =
            ["fcm.googleapis.com", "updates.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com"];
        Self {
            enabled: false,
            contact: String::new(),
            hosts: hosts.map(str::to_owned).into(),
            after_seconds: 30,
            allow_private: false,
            ca: String::new(),
        }
    }
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Least severity that is logged.
    pub level: LogLevel,
    /// Format of lines.
    pub format: LogFormat,
}

/// Least severity that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something unexpected that kefu handled.
    Warn,
    /// Information for operators.
    #[default]
    Info,
    /// Information for developers.
    Debug,
    /// Everything.
    Trace,
}

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    #[default]
    Auto,
    /// Text.
    Text,
    /// JSON.
    Json,
}

impl LogLevel {
    /// The name used in the configuration file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl LogFormat {
    /// The name used in the configuration file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Config {
    /// What people type to reach this server, as browsers write origins. Not configured: made from the address listened
    /// on, with `localhost` for "all addresses".
    pub fn public_url(&self) -> String {
        if let Ok(url) = origin::normalised(&self.server.public_url) {
            return url;
        }
        match self.server.listen.ip() {
            ip if ip.is_unspecified() => self.url_of("localhost"),
            ip => self.url_of(&ip.to_string()),
        }
    }

    /// The URL under which this server is reached by a name or an address, on the port listened on.
    pub fn url_of(&self, host: &str) -> String {
        let (scheme, usual) = if self.server.plain_http { ("http", 80) } else { ("https", 443) };
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        match self.server.listen.port() {
            port if port == usual => format!("{scheme}://{host}"),
            port => format!("{scheme}://{host}:{port}"),
        }
    }
}
