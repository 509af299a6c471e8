//! Servers, a primary with its replica, and Sentinels, each on a host of its own, while the network between them breaks in every way
//! and heals, or one of them freezes and wakes. What is acknowledged is on both Redis servers, so nothing may be lost.
//!
//! `KEFU_PARTITIONS` and `KEFU_FREEZES` set how often (4 and 2), `KEFU_SEED` repeats a run. Needs root and `ip`.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use kefu_redis_link::{
    cmd,
    testing::{Host, MASTER, Network, RedisServer, Sentinels, until_within},
};
use tokio::time::sleep;

use super::{config_for, joined, number};
use crate::{
    crash::{PEOPLE, Victim, run},
    support::{child::Process, company::Company, dice::Dice, proxy::Proxy},
};

/// Hosts of the servers, of the Redis servers with a Sentinel each, and of the third Sentinel.
const SERVERS: [usize; 2] = [0, 1];
const REDIS: [usize; 2] = [2, 3];
const THIRD: usize = 4;

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A server reaches no Redis.
    ServerFromRedis,
    /// What a server sends to the primary is lost, or what that sends back.
    HalfOpen,
    /// The primary, its Sentinel and a server on one side, everything else on the other, which elects another primary.
    Split,
    /// A server reaches the primary only.
    ServerFromReplica,
    /// Primary and replica don't reach each other, or only in one direction.
    PrimaryFromReplica,
    /// Nobody reaches the primary.
    PrimaryFromAll,
    /// A server stands still for longer than its lease.
    FrozenServer,
    /// The primary stands still until another one is elected.
    FrozenPrimary,
}

use Kind::{
    FrozenPrimary, FrozenServer, HalfOpen, PrimaryFromAll, PrimaryFromReplica, ServerFromRedis, ServerFromReplica,
    Split,
};

const PARTITIONS: &[Kind] = &[ServerFromRedis, HalfOpen, Split, ServerFromReplica, PrimaryFromReplica, PrimaryFromAll];
const FREEZES: &[Kind] = &[FrozenServer, FrozenPrimary];

struct Apart {
    kinds: &'static [Kind],
    done: Vec<Kind>,
    company: Arc<Company>,
    dirs: [PathBuf; 2],
    servers: [Process; 2],
    redis: [RedisServer; 2],
    primary: usize,
    sentinels: Sentinels,
    storage: String,
    network: Network,
    _second: tempfile::TempDir,
}

async fn start(host: &Host, dir: PathBuf, storage: &str) -> Process {
    let (host, storage) = (host.clone(), storage.to_owned());
    tokio::task::spawn_blocking(move || Process::start_at(&host, &dir, &storage)).await.unwrap()
}

impl Apart {
    async fn start(kinds: &'static [Kind]) -> Self {
        let network = Network::new(5);
        let [one, two, third] = [REDIS[0], REDIS[1], THIRD].map(|host| network.host(host));
        let primary = RedisServer::start_at(one, &[]).await;
        let replica = primary.replica_at(two, &[]).await;
        let sentinels = Sentinels::start_at(&primary, [one, two, third]).await;
        let mut config = config_for(&primary);
        (config.storage.url, config.storage.ack_replicas) = (sentinels.url().to_string(), 1);
        let company = Company::found_in_database(&config, PEOPLE).await;
        let second = joined(company.path());
        let dirs = [company.path().to_owned(), second.path().to_owned()];
        let storage = format!("[storage]\nurl = \"{}\"\nack_replicas = 1\n", sentinels.url());
        let servers = [0, 1].map(|n| Process::start_at(network.host(SERVERS[n]), &dirs[n], &storage));
        let (redis, done) = ([primary, replica], Vec::new());
        Self { kinds, done, company, dirs, servers, redis, primary: 0, sentinels, storage, network, _second: second }
    }

    /// The Sentinels that everybody else listens to have made the replica the primary.
    async fn failed_over(&mut self) {
        let wanted = self.redis[1 - self.primary].address().to_string();
        // a Sentinel that a busy machine held up for two seconds does nothing for thirty (TILT mode), and each failed election
        // is followed by a pause of six
        until_within(Duration::from_mins(2), "another primary", async || {
            let sentinel = self.sentinels.connect(2).await;
            let question = cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(MASTER).take();
            let (host, port): (String, u16) = sentinel.query(&question).await.ok()?;
            (format!("{host}:{port}") == wanted).then_some(())
        })
        .await;
        self.primary = 1 - self.primary;
    }

    /// The network breaks for a while, or until another primary is elected.
    async fn part(&mut self, kind: Kind, server: usize, dice: &mut Dice) {
        let (primary, replica) = (REDIS[self.primary], REDIS[1 - self.primary]);
        let (near, far) = (SERVERS[server], SERVERS[1 - server]);
        let network = &self.network;
        // either direction or both
        let mut directions = |one: usize, other: usize, least: usize| match least + dice.roll(3 - least) {
            0 => network.cut(one, other),
            1 => network.lose(one, other),
            _ => network.lose(other, one),
        };
        match kind {
            ServerFromRedis => REDIS.iter().for_each(|redis| network.cut(near, *redis)),
            HalfOpen => directions(near, primary, 1),
            ServerFromReplica => directions(near, replica, 0),
            PrimaryFromReplica => directions(primary, replica, 0),
            Split => {
                for there in [far, replica, THIRD] {
                    [near, primary].iter().for_each(|here| network.cut(*here, there));
                }
            }
            _ => [near, far, replica, THIRD].iter().for_each(|other| network.cut(primary, *other)),
        }
        if matches!(kind, Split | PrimaryFromAll) {
            self.failed_over().await;
        }
        // some outlast the patience of the store, a server's lease, and the time after which it closes its sockets
        let longest =
            [500, 3_000, 8_000, 16_000, 30_000][if self.done.len() < self.kinds.len() { 1 } else { dice.roll(5) }];
        sleep(Duration::from_millis(longest / 2 + dice.roll(longest as usize / 2) as u64)).await;
        self.network.heal();
    }
}

impl Victim for Apart {
    type Needed = ([RedisServer; 2], Sentinels, Process, Network);

    fn company(&self) -> &Arc<Company> {
        &self.company
    }

    fn addr(&self, client: usize) -> SocketAddr {
        self.servers[client % 2].addr
    }

    async fn blow(&mut self, proxies: &[Proxy], dice: &mut Dice) {
        let kind = self.kinds[self.done.len() % self.kinds.len()];
        let server = dice.roll(2);
        // as a balancer may do; those who are connected stay
        proxies.iter().filter(|_| dice.roll(2) == 0).for_each(|p| p.retarget(self.servers[1 - server].addr));
        match kind {
            FrozenServer => {
                self.servers[server].stop();
                sleep(Duration::from_millis(7_000 + dice.roll(4_000) as u64)).await;
                self.servers[server].cont();
            }
            FrozenPrimary => {
                let frozen = self.primary;
                self.redis[frozen].stop();
                self.failed_over().await;
                self.redis[frozen].cont();
            }
            _ => self.part(kind, server, dice).await,
        }
        self.done.push(kind);
        proxies.iter().filter(|_| dice.roll(2) == 0).for_each(|p| p.retarget(self.servers[server].addr));
        self.redis[self.primary].has_replica(&self.redis[1 - self.primary]).await;
    }

    async fn last(mut self) -> (Process, Self::Needed) {
        let counts = self.done.iter().fold(BTreeMap::<Kind, u64>::new(), |mut counts, kind| {
            *counts.entry(*kind).or_default() += 1;
            counts
        });
        println!("{counts:?}");
        self.servers[0].kill();
        let server = start(self.network.host(SERVERS[0]), self.dirs[0].clone(), &self.storage).await;
        let [_, other] = self.servers;
        (server, (self.redis, self.sentinels, other, self.network))
    }

    fn verify(_: &Company) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parted_again_and_again() {
    run(Apart::start(PARTITIONS).await, number("KEFU_PARTITIONS", 4), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen_again_and_again() {
    run(Apart::start(FREEZES).await, number("KEFU_FREEZES", 2), false).await;
}
