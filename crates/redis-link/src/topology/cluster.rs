//! A Cluster: each node knows all others and their slots.

use std::{collections::HashMap, ops::RangeInclusive};

use redis::{Value, cmd, from_redis_value};

use super::{Answer, Found, Map, ask};
use crate::{Address, Connection, Connector, Error, Expect, Handshake, Pipeline, info::Info};

pub(super) struct Source {
    connector: Connector,
    seeds: Vec<Address>,
    /// Reads so far: each begins with another node, so that none is relied on for ever.
    reads: usize,
}

impl Source {
    pub(super) fn new(connector: Connector, seeds: Vec<Address>) -> Self {
        Self { connector, seeds, reads: 0 }
    }

    /// Asks the nodes that are known and those that the URL names.
    pub(super) async fn read(&mut self, known: &Map, epoch: u64) -> Result<Answer, Error> {
        let mut nodes: Vec<&Address> = known.shards().iter().flat_map(|shard| shard.servers()).collect();
        if !nodes.is_empty() {
            let first = self.reads % nodes.len();
            nodes.rotate_left(first);
        }
        self.reads += 1;
        for seed in &self.seeds {
            if !nodes.contains(&seed) {
                nodes.push(seed);
            }
        }
        ask(nodes, epoch, |node| self.question(node)).await
    }

    /// What a node knows, and whether it sees a majority and all slots.
    async fn question(&self, node: &Address) -> Result<(Answer, bool), Error> {
        let connection = self.connector.open(node, &Handshake::primary("kefu-topology").expect(Expect::Any)).await?;
        let questions: Pipeline = ["INFO", "SHARDS"].iter().map(|what| cmd("CLUSTER").arg(what).to_owned()).collect();
        let mut answers = connection.pipeline(&questions).await?.into_iter();
        let mut next = || answers.next().unwrap_or(Ok(Value::Nil));
        let info = match next() {
            Ok(info) => Info::parse(&connection.read::<String>(info)?),
            Err(Error::Server { message, .. }) if message.contains("cluster support disabled") => {
                let message = "is no node of a Cluster: write redis:// instead of redis+cluster://".to_owned();
                return Err(Error::WrongKind { address: node.clone(), message });
            }
            Err(error) => return Err(error),
        };
        let shards: Vec<Value> = connection.read(next()?)?;
        let shards = shards.into_iter().map(|shard| self.shard(&connection, node, shard));
        let shards = shards.collect::<Result<Vec<_>, _>>()?.into_iter().filter(|shard| !shard.slots.is_empty());
        let epoch = info.number("cluster_current_epoch").unwrap_or(0);
        Ok((Answer { shards: shards.collect(), epoch }, info.get("cluster_state") == Some("ok")))
    }

    /// One entry of `CLUSTER SHARDS`.
    fn shard(&self, connection: &Connection, asked: &Address, shard: Value) -> Result<Found, Error> {
        let shard: HashMap<String, Vec<Value>> = connection.read(shard)?;
        let mut found = Found { primary: None, replicas: vec![], slots: vec![], nodes: vec![] };
        let bounds: Vec<u16> = connection.read(Value::Array(shard.get("slots").cloned().unwrap_or_default()))?;
        found.slots = bounds.chunks_exact(2).map(|pair| RangeInclusive::new(pair[0], pair[1])).collect();
        found.slots.sort_by_key(|range| *range.start());
        for node in shard.get("nodes").into_iter().flatten() {
            let node: HashMap<String, Value> = connection.read(node.clone())?;
            let text = |field: &str| node.get(field).and_then(|v| from_redis_value::<String>(v.clone()).ok());
            let port = if self.connector.is_encrypted() { "tls-port" } else { "port" };
            let Some(port) = node.get(port).and_then(|v| from_redis_value::<u16>(v.clone()).ok()) else { continue };
            // a node that does not know its own address, or hides it, is where it was asked
            let host = text("endpoint")
                .filter(|host| !host.is_empty() && host != "?")
                .or_else(|| text("ip").filter(|ip| !ip.is_empty()));
            let address = Address::new(host.unwrap_or_else(|| asked.host.clone()), port);
            found.nodes.extend(text("id"));
            let up = text("health").as_deref() != Some("fail");
            if text("role").as_deref() == Some("master") {
                // also one that failed: its shard has no other yet
                found.primary = found.primary.filter(|_| !up).or(Some(address));
            } else if up {
                found.replicas.push(address);
            }
        }
        Ok(found)
    }
}
