//! One server, alone or with replicas.

use std::{collections::BTreeMap, fmt::Write as _};

use redis::{FromRedisValue, cmd};
use rustix::process::Signal;

use super::{
    Certificates, DEADLINE, Host,
    process::{Process, free_port},
    until, until_within,
};
use crate::{Address, Cmd, Connection, Connector, Expect, Handshake, Options, Role, Url};

/// A server. Its settings lose nothing (`appendfsync always`) unless a test says otherwise.
pub struct RedisServer {
    process: Process,
    host: Host,
    settings: BTreeMap<String, String>,
    port: u16,
    authority: Option<Vec<u8>>,
}

const DEFAULTS: &[(&str, &str)] = &[
    // others reach it only in the network of a test
    ("protected-mode", "no"),
    ("appendonly", "yes"),
    ("appendfsync", "always"),
    ("maxmemory", "1gb"),
    ("save", "\"\""),
    // a replica gets its copy at once, not after 5 s
    ("repl-diskless-sync-delay", "0"),
];

impl RedisServer {
    /// Starts a server with these lines of `redis.conf` besides the defaults, and waits until it answers.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_at(&Host::local(), settings).await
    }

    /// The same on a host of a network.
    pub async fn start_at(host: &Host, settings: &[(&str, &str)]) -> Self {
        Self::start_with(host, settings, None).await
    }

    /// Starts a server that speaks only TLS.
    pub async fn start_tls(certificates: &Certificates, settings: &[(&str, &str)]) -> Self {
        let files = certificates.settings();
        let settings = files.iter().map(|(k, v)| (*k, v.as_str())).chain(settings.iter().copied());
        Self::start_with(&Host::local(), &settings.collect::<Vec<_>>(), Some(certificates.authority().to_vec())).await
    }

    /// Starts a replica of this server and waits until it has all data.
    pub async fn replica(&self, settings: &[(&str, &str)]) -> Self {
        self.replica_at(&self.host, settings).await
    }

    /// The same on a host of its network.
    pub async fn replica_at(&self, host: &Host, settings: &[(&str, &str)]) -> Self {
        let of = format!("{} {}", self.host.address(), self.port);
        let mut all = vec![("replicaof", of.as_str())];
        if let Some(password) = self.settings.get("requirepass") {
            all.extend([("requirepass", password.as_str()), ("masterauth", password.as_str())]);
        }
        all.extend(settings);
        let replica = Self::start_at(host, &all).await;
        self.has_replica(&replica).await;
        replica
    }

    /// Waits until both say that the other is connected and has all data.
    pub async fn has_replica(&self, replica: &Self) {
        // a copy of everything, on a disk that others use, and a link that was just lost
        until_within(3 * DEADLINE, "a replica with all data", async || {
            let connected = Role::Replica { of: self.address(), connected: true };
            let follows = replica.try_connect().await?.server().role == connected;
            // the primary counts it at its first acknowledgement, up to a second later
            let role = self.try_connect().await?.server().role.clone();
            let counted = matches!(role, Role::Primary { replicas } if replicas.contains(&replica.address()));
            (follows && counted).then_some(())
        })
        .await;
    }

    async fn start_with(host: &Host, settings: &[(&str, &str)], authority: Option<Vec<u8>>) -> Self {
        let settings: BTreeMap<String, String> =
            DEFAULTS.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        loop {
            let port = free_port();
            let mut all = settings.clone();
            all.insert("bind".to_owned(), host.address().to_owned());
            if authority.is_some() {
                all.extend([("port".to_owned(), "0".to_owned()), ("tls-port".to_owned(), port.to_string())]);
            } else {
                all.insert("port".to_owned(), port.to_string());
            }
            if all.contains_key("cluster-enabled") {
                all.insert("cluster-port".to_owned(), free_port().to_string());
            }
            let process = Process::start(host, &configuration(&all), false);
            let mut server = Self { process, host: host.clone(), settings: all, port, authority: authority.clone() };
            if server.answers().await {
                return server;
            }
            let log = server.process.log();
            let no_tls =
                authority.is_some() && ["Bad directive", "Failed finding TLS"].iter().any(|words| log.contains(words));
            assert!(!no_tls, "this server was built without TLS: set KEFU_REDIS to one with TLS");
            // somebody was quicker to take the port; anything else is the test's mistake
            assert!(log.contains("Address already in use"), "the server ended at once:\n{log}");
        }
    }

    /// Waits until it answers or ends.
    async fn answers(&mut self) -> bool {
        until("a server that answers", async || {
            if self.process.has_ended() {
                return Some(false);
            }
            let connection = self.try_connect().await?;
            connection.query::<u64>(&cmd("DBSIZE")).await.ok().map(|_| true)
        })
        .await
    }

    /// Host and port.
    pub fn address(&self) -> Address {
        Address::new(self.host.address(), self.port)
    }

    /// Where it runs.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Port of the Cluster's own protocol, if it is a node of one.
    pub fn bus_port(&self) -> Option<u16> {
        self.settings.get("cluster-port")?.parse().ok()
    }

    /// Its URL, with the password if it has one.
    pub fn url(&self) -> Url {
        let scheme = if self.authority.is_some() { "rediss" } else { "redis" };
        let password = self.settings.get("requirepass").map(|p| format!(":{p}@")).unwrap_or_default();
        format!("{scheme}://{password}{}", self.address()).parse().expect("our own URL is right")
    }

    /// What stands beside its URL.
    pub fn options(&self) -> Options {
        Options { ca: self.authority.clone(), ..Options::default() }
    }

    /// Opens a connection, whatever its role.
    pub async fn connect(&self) -> Connection {
        until("a connection", async || self.try_connect().await).await
    }

    async fn try_connect(&self) -> Option<Connection> {
        let connector = Connector::new(&self.url(), self.options()).expect("our own settings are right");
        connector.open(&self.address(), &Handshake::primary("test").expect(Expect::Any)).await.ok()
    }

    /// Sends one command over a connection of its own.
    pub async fn query<T: FromRedisValue>(&self, cmd: &Cmd) -> T {
        self.connect().await.query(cmd).await.expect("the server answers")
    }

    /// SIGKILL, and waits until it is dead.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// SIGSTOP: it answers nothing and stays connected.
    pub fn stop(&self) {
        self.process.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub fn cont(&self) {
        self.process.signal(Signal::CONT);
    }

    /// Kills it if it runs, starts it on the same port with the same directory, and waits until it answers. Its role may be
    /// another if Sentinel or Cluster changed it.
    pub async fn restart(&mut self) {
        // what had taken the port lets go of it soon
        until("a server on its old port", async || {
            self.process.restart();
            self.answers().await.then_some(())
        })
        .await;
    }

    /// Its directory: append-only file, configuration, `log`.
    pub fn directory(&self) -> &std::path::Path {
        self.process.directory()
    }
}

pub(super) fn configuration(settings: &BTreeMap<String, String>) -> String {
    settings.iter().fold(String::new(), |mut text, (name, value)| {
        // writing to a string can't fail
        let _ = writeln!(text, "{name} {value}");
        text
    })
}
