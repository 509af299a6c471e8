//! What the files of a data directory are called. Nothing here touches them.

/// The database.
pub const DATABASE: &str = "kefu.redb";
/// Directory of the files that people send, if the configuration names no other.
pub const BLOBS: &str = "blobs";
/// The company's root and recovery keys, sealed.
pub const COMPANY_KEYS: &str = "company.keys";
/// The server's OPAQUE keys. Not in the database, so that a stolen database is no base for guessing passwords.
pub const OPAQUE_SETUP: &str = "opaque.setup";
/// The secret that all servers of a company share, if there are several.
pub const CLUSTER_KEY: &str = "cluster.key";
/// What a server may know of keys that are kept elsewhere.
pub const PUBLIC_PART: &str = "public.json";
/// The configuration.
pub const CONFIG: &str = "kefu.toml";
/// The admin socket of a running server.
pub const ADMIN_SOCKET: &str = "admin.sock";
/// Held by the running server; its text is the process id.
pub const LOCK: &str = "kefu.lock";
/// What opens `/metrics`, made by the first start.
pub const METRICS_TOKEN: &str = "metrics.token";
/// The key that browsers subscribe to pushes under, made at its first use.
pub const PUSH_KEY: &str = "push.key";
/// Directory of the certificate made by `kefu init`.
pub const TLS: &str = "tls";
/// Directory of the robot's keys, if the configuration names no other.
pub const ROBOT: &str = "robot";
