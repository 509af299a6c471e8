//! Two servers over a Redis Cluster of three shards whose primaries are replaced again and again: killed, frozen, or told to hand
//! over. What is acknowledged is on both servers of its shard, so nothing may be lost. `KEFU_CLUSTER_FAILOVERS` sets how often
//! (1), `KEFU_SEED` repeats a run.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use kefu_redis_link::{
    Role, cmd,
    testing::{Cluster, until},
};

use tokio::time::{Instant, sleep_until, timeout};

use super::{joined, number};
use crate::{
    crash::{PEOPLE, Victim, run},
    support::{child::Process, company::Company, dice::Dice, proxy::Proxy, server::config},
};

/// Within this time a node of Redis 7.0 that is to be elected again counts the votes of its last election, and becomes primary with
/// an epoch that is over, for a moment. Nobody fails over so often; the next election waits.
const VOTES_COUNT: Duration = Duration::from_secs(10);

/// After this time Redis has given up a failover on demand.
const GIVES_UP: Duration = Duration::from_secs(6);

struct Sharded {
    company: Arc<Company>,
    servers: [Process; 2],
    redis: Cluster,
    /// The node that is each shard's primary.
    primaries: Vec<usize>,
    /// When each node was elected.
    elected: Vec<Option<Instant>>,
    storage: String,
    done: [u64; 3],
    _second: tempfile::TempDir,
}

impl Sharded {
    async fn start() -> Self {
        let redis = Cluster::start(3, 1).await;
        let mut config = config();
        (config.storage.url, config.storage.ack_replicas) = (redis.url().to_string(), 1);
        let company = Company::found_in_database(&config, PEOPLE).await;
        let second = joined(company.path());
        let storage = format!("[storage]\nurl = \"{}\"\nack_replicas = 1\n", redis.url());
        let servers = [company.path(), second.path()].map(|dir| Process::start_with(dir, &storage));
        let (primaries, elected) = ((0..redis.shards()).collect(), vec![None; 2 * redis.shards()]);
        Self { company, servers, redis, primaries, elected, storage, done: [0; 3], _second: second }
    }

    /// The other node of a shard is its primary.
    async fn replaced(&mut self, shard: usize) {
        let other = self.other(shard);
        until("another primary of the shard", async || {
            let role = self.redis.node(other).connect().await.server().role.clone();
            matches!(role, Role::Primary { .. }).then_some(())
        })
        .await;
        (self.primaries[shard], self.elected[other]) = (other, Some(Instant::now()));
    }

    /// The node of a shard that is not its primary.
    fn other(&self, shard: usize) -> usize {
        let shards = self.redis.shards();
        (self.primaries[shard] + shards) % (2 * shards)
    }
}

impl Victim for Sharded {
    type Needed = (Cluster, Process);

    fn company(&self) -> &Arc<Company> {
        &self.company
    }

    fn addr(&self, client: usize) -> SocketAddr {
        self.servers[client % 2].addr
    }

    async fn blow(&mut self, _: &[Proxy], dice: &mut Dice) {
        let shard = dice.roll(self.redis.shards());
        let (before, replica) = (self.primaries[shard], self.other(shard));
        if let Some(elected) = self.elected[replica] {
            sleep_until(elected + VOTES_COUNT).await;
        }
        let kind = dice.roll(3);
        match kind {
            0 => {
                self.redis.node_mut(before).kill();
                self.replaced(shard).await;
                self.redis.node_mut(before).restart().await;
            }
            1 => {
                self.redis.node(before).stop();
                self.replaced(shard).await;
                self.redis.node(before).cont();
            }
            _ => {
                // it may refuse, or accept and give up after five seconds, when primary and replica don't know each other well yet
                let demand = cmd("CLUSTER").arg("FAILOVER").take();
                let mut tries = 0;
                loop {
                    drop(self.redis.node(replica).connect().await.send(&demand).await);
                    if timeout(GIVES_UP, self.replaced(shard)).await.is_ok() {
                        break;
                    }
                    tries += 1;
                    assert!(tries < 10, "no failover on demand");
                }
            }
        }
        self.done[kind] += 1;
        self.redis.node(self.primaries[shard]).has_replica(self.redis.node(before)).await;
    }

    async fn last(mut self) -> (Process, Self::Needed) {
        let [killed, frozen, demanded] = self.done;
        println!("{killed} primaries killed, {frozen} frozen, {demanded} told to hand over");
        self.servers[0].kill();
        let server = Process::start_with(self.company.path(), &self.storage);
        let [_, other] = self.servers;
        (server, (self.redis, other))
    }

    fn verify(_: &Company) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_primaries_of_a_cluster_are_replaced_and_nothing_is_lost() {
    run(Sharded::start().await, number("KEFU_CLUSTER_FAILOVERS", 1), false).await;
}
