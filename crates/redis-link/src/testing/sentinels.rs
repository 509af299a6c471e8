//! Sentinels that watch one primary.

use std::collections::HashMap;

use redis::cmd;

use super::{
    Host, RedisServer,
    process::{Process, free_port},
    until,
};
use crate::{Address, Connection, Connector, Expect, Handshake, Options, Password, Role, Url};

/// The name under which the Sentinels know their primary.
pub const MASTER: &str = "kefu";

/// Three Sentinels; two must agree.
pub struct Sentinels {
    all: Vec<(Process, Address)>,
    password: Option<String>,
    own_password: Option<String>,
}

impl Sentinels {
    /// Starts them and waits until each knows the primary, its replicas and the other Sentinels. They act when the primary
    /// has been silent for two seconds.
    pub async fn start(primary: &RedisServer) -> Self {
        Self::launch(primary, [primary.host(); 3], None).await
    }

    /// As [`Self::start`], each on a host of the primary's network.
    pub async fn start_at(primary: &RedisServer, hosts: [&Host; 3]) -> Self {
        Self::launch(primary, hosts, None).await
    }

    /// As [`Self::start`], with Sentinels that ask for a password of their own.
    pub async fn start_with_password(primary: &RedisServer, password: &str) -> Self {
        Self::launch(primary, [primary.host(); 3], Some(password.to_owned())).await
    }

    async fn launch(primary: &RedisServer, hosts: [&Host; 3], own_password: Option<String>) -> Self {
        let password = primary.url().password.map(|password| password.reveal().to_owned());
        let mut sentinels = Self { all: vec![], password, own_password };
        while sentinels.all.len() < 3 {
            sentinels.add(primary, hosts[sentinels.all.len()]).await;
        }
        let Role::Primary { replicas } = primary.connect().await.server().role.clone() else {
            panic!("Sentinels must be given a primary");
        };
        until("Sentinels that know everybody", async || {
            for number in 0..3 {
                let connection = sentinels.try_connect(number).await?;
                let state: HashMap<String, String> =
                    connection.query(cmd("SENTINEL").arg("MASTER").arg(MASTER)).await.ok()?;
                let count = |field: &str| state.get(field).and_then(|v| v.parse().ok());
                if count("num-other-sentinels") != Some(2) || count("num-slaves") != Some(replicas.len()) {
                    return None;
                }
                // they elect none that they have not heard of yet
                let known: Vec<HashMap<String, String>> =
                    connection.query(cmd("SENTINEL").arg("REPLICAS").arg(MASTER)).await.ok()?;
                let up = |replica: &HashMap<String, String>| {
                    replica.get("flags").is_some_and(|flags| flags == "slave")
                        && replica.get("master-link-status").is_some_and(|status| status == "ok")
                };
                if !known.iter().all(up) {
                    return None;
                }
            }
            Some(())
        })
        .await;
        sentinels
    }

    async fn add(&mut self, primary: &RedisServer, host: &Host) {
        let port = free_port();
        let mut lines = vec![
            format!("port {port}"),
            format!("bind {}", host.address()),
            "protected-mode no".to_owned(),
            format!("sentinel monitor {MASTER} {} {} 2", primary.host().address(), primary.port()),
            // they ask every second: with less than two they take a server for dead that they have just begun to ask
            format!("sentinel down-after-milliseconds {MASTER} 2000"),
            format!("sentinel failover-timeout {MASTER} 3000"),
        ];
        if let Some(password) = &self.password {
            lines.push(format!("sentinel auth-pass {MASTER} {password}"));
        }
        if let Some(password) = &self.own_password {
            lines.extend([format!("requirepass {password}"), format!("sentinel sentinel-pass {password}")]);
        }
        let process = Process::start(host, &(lines.join("\n") + "\n"), true);
        self.all.push((process, Address::new(host.address(), port)));
        let number = self.all.len() - 1;
        let answers = until("a Sentinel that answers", async || {
            if self.all[number].0.has_ended() {
                return Some(false);
            }
            self.try_connect(number).await.map(|_| true)
        })
        .await;
        if !answers {
            let (process, _) = self.all.remove(number);
            let log = process.log();
            assert!(log.contains("Address already in use"), "the Sentinel ended at once:\n{log}");
        }
    }

    async fn try_connect(&self, number: usize) -> Option<Connection> {
        let connector = Connector::new(&self.url(), self.options()).expect("our own settings are right");
        let handshake = Handshake::primary("test").expect(Expect::Sentinel);
        connector.open(&self.address(number), &handshake).await.ok()
    }

    /// Opens a connection to one of them.
    pub async fn connect(&self, number: usize) -> Connection {
        until("a connection to a Sentinel", async || self.try_connect(number).await).await
    }

    /// Host and port of one of them.
    pub fn address(&self, number: usize) -> Address {
        self.all[number].1.clone()
    }

    /// All of them.
    pub fn url(&self) -> Url {
        let hosts: Vec<String> = (0..self.all.len()).map(|number| self.address(number).to_string()).collect();
        let password = self.password.as_ref().map(|p| format!(":{p}@")).unwrap_or_default();
        let url = format!("redis+sentinel://{password}{}/{MASTER}", hosts.join(","));
        url.parse().expect("our own URL is right")
    }

    /// What stands beside their URL.
    pub fn options(&self) -> Options {
        Options { sentinel_password: self.own_password.as_deref().map(Password::new), ..Options::default() }
    }

    /// SIGKILL for one of them.
    pub fn kill(&mut self, number: usize) {
        self.all[number].0.kill();
    }
}
