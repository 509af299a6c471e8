//! A Cluster.

use futures_util::future::join_all;
use redis::cmd;

use super::{Certificates, RedisServer, until};
use crate::{Options, Place, Url, info::Info, lanes::SLOTS};

/// A Cluster: primaries with equal shares of the slots, and replicas of each.
pub struct Cluster {
    nodes: Vec<RedisServer>,
    shards: usize,
}

impl Cluster {
    /// Starts all nodes, joins them, and waits until each is content and each replica has its primary's data. A primary that is
    /// silent for two seconds is replaced.
    pub async fn start(shards: usize, replicas: usize) -> Self {
        Self::start_with(shards, replicas, &[]).await
    }

    /// As [`Self::start`], with these lines of `redis.conf` for all nodes.
    pub async fn start_with(shards: usize, replicas: usize, settings: &[(&str, &str)]) -> Self {
        Self::launch(shards, replicas, settings, None).await
    }

    /// As [`Self::start`], with nodes that speak only TLS, also among themselves.
    pub async fn start_tls(certificates: &Certificates, shards: usize, replicas: usize) -> Self {
        Self::launch(shards, replicas, &[("tls-cluster", "yes")], Some(certificates)).await
    }

    async fn launch(
        shards: usize,
        replicas: usize,
        settings: &[(&str, &str)],
        certificates: Option<&Certificates>,
    ) -> Self {
        let own = [
            ("cluster-enabled", "yes"),
            ("cluster-node-timeout", "2000"),
            ("cluster-replica-validity-factor", "0"),
            ("cluster-allow-replica-migration", "no"),
        ];
        let settings: Vec<(&str, &str)> = own.iter().chain(settings).copied().collect();
        let starts = (0..shards * (1 + replicas)).map(|_| async {
            match certificates {
                Some(certificates) => RedisServer::start_tls(certificates, &settings).await,
                None => RedisServer::start(&settings).await,
            }
        });
        let cluster = Self { nodes: join_all(starts).await, shards };
        cluster.join().await;
        cluster
    }

    async fn join(&self) {
        let share = |shard: usize| shard * usize::from(SLOTS) / self.shards;
        for (number, node) in self.nodes.iter().enumerate() {
            let node = node.connect().await;
            // distinct from the beginning, so that none need be settled first
            let epoch = cmd("CLUSTER").arg("SET-CONFIG-EPOCH").arg(number + 1).take();
            node.send(&epoch).await.expect("an epoch");
            if number < self.shards {
                let mut add = cmd("CLUSTER");
                add.arg("ADDSLOTSRANGE").arg(share(number)).arg(share(number + 1) - 1);
                node.send(&add).await.expect("slots");
            }
            for other in &self.nodes[..number] {
                let mut meet = cmd("CLUSTER");
                meet.arg("MEET").arg("127.0.0.1").arg(other.port()).arg(other.bus_port());
                node.send(&meet).await.expect("a meeting");
            }
        }
        self.all_say("cluster_known_nodes", &self.nodes.len().to_string()).await;
        for (number, node) in self.nodes.iter().enumerate().skip(self.shards) {
            let primary: String = self.primary_of(number).query(cmd("CLUSTER").arg("MYID")).await;
            node.query::<()>(cmd("CLUSTER").arg("REPLICATE").arg(primary)).await;
        }
        self.all_say("cluster_state", "ok").await;
        for (number, node) in self.nodes.iter().enumerate().skip(self.shards) {
            self.primary_of(number).has_replica(node).await;
        }
        // what each says of the others comes by gossip
        until("a Cluster whose nodes all know who is whose replica", async || {
            for node in &self.nodes {
                let nodes: String = node.query(cmd("CLUSTER").arg("NODES")).await;
                let replicas = nodes.lines().filter(|line| line.contains("slave")).count();
                if replicas != self.nodes.len() - self.shards || nodes.contains("handshake") {
                    return None;
                }
            }
            Some(())
        })
        .await;
    }

    fn primary_of(&self, replica: usize) -> &RedisServer {
        &self.nodes[replica % self.shards]
    }

    async fn all_say(&self, field: &str, value: &str) {
        until(&format!("a Cluster with {field} {value}"), async || {
            for node in &self.nodes {
                let info: String = node.connect().await.query(cmd("CLUSTER").arg("INFO")).await.ok()?;
                if Info::parse(&info).get(field) != Some(value) {
                    return None;
                }
            }
            Some(())
        })
        .await;
    }

    /// The first primary, by which all others are found.
    pub fn url(&self) -> Url {
        Url { place: Place::Cluster(vec![self.nodes[0].address()]), ..self.nodes[0].url() }
    }

    /// How many shards it has.
    pub fn shards(&self) -> usize {
        self.shards
    }

    /// What stands beside its URL.
    pub fn options(&self) -> Options {
        self.nodes[0].options()
    }

    /// A node. First come the primaries of all shards in the order of their slots, then a replica of each, and so on.
    pub fn node(&self, number: usize) -> &RedisServer {
        &self.nodes[number]
    }

    /// A node, to kill it or to start it again.
    pub fn node_mut(&mut self, number: usize) -> &mut RedisServer {
        &mut self.nodes[number]
    }
}
