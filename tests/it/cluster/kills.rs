//! Two servers and their Redis killed again and again while clients write through them: nothing acknowledged is lost or doubled,
//! and what every client holds is what is stored. `KEFU_CLUSTER_KILLS` sets how often (20), `KEFU_SEED` repeats a run.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use kefu_redis_link::{
    cmd,
    testing::{MASTER, RedisServer, Sentinels, until},
};

use super::{config_for, joined};
use crate::{
    crash::{PEOPLE, Victim, run},
    support::{child::Process, company::Company, dice::Dice, proxy::Proxy},
};

struct Cluster {
    company: Arc<Company>,
    dirs: [PathBuf; 2],
    servers: [Process; 2],
    redis: RedisServer,
    _second: tempfile::TempDir,
}

/// A server of the company that is in this Redis.
pub fn start(dir: PathBuf, redis: &RedisServer) -> impl Future<Output = Process> + use<> {
    let storage = format!("[storage]\nurl = \"{}\"\n", redis.url());
    async move { tokio::task::spawn_blocking(move || Process::start_with(&dir, &storage)).await.unwrap() }
}

impl Cluster {
    async fn start() -> Self {
        let redis = RedisServer::start(&[]).await;
        let company = Company::found_in_database(&config_for(&redis), PEOPLE).await;
        let second = joined(company.path());
        let dirs = [company.path().to_owned(), second.path().to_owned()];
        let servers = [start(dirs[0].clone(), &redis).await, start(dirs[1].clone(), &redis).await];
        Self { company, dirs, servers, redis, _second: second }
    }
}

impl Victim for Cluster {
    type Needed = RedisServer;

    fn company(&self) -> &Arc<Company> {
        &self.company
    }

    fn addr(&self, client: usize) -> SocketAddr {
        self.servers[client % 2].addr
    }

    async fn blow(&mut self, proxies: &[Proxy], dice: &mut Dice) {
        let (redis, server) = match dice.roll(10) {
            0..3 => (true, None),
            3 => (true, Some(dice.roll(2))),
            _ => (false, Some(dice.roll(2))),
        };
        if let Some(n) = server {
            self.servers[n].kill();
            // as a balancer does; those who are at the other one stay there
            proxies.iter().for_each(|p| p.retarget(self.servers[1 - n].addr));
        }
        if redis {
            self.redis.kill();
            self.redis.restart().await;
        }
        if let Some(n) = server {
            self.servers[n] = start(self.dirs[n].clone(), &self.redis).await;
            proxies.iter().filter(|_| dice.roll(2) == 0).for_each(|p| p.retarget(self.servers[n].addr));
        }
    }

    async fn last(mut self) -> (Process, RedisServer) {
        self.servers.iter_mut().for_each(Process::kill);
        self.redis.kill();
        self.redis.restart().await;
        (start(self.dirs[0].clone(), &self.redis).await, self.redis)
    }

    fn verify(_: &Company) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_with_their_redis() {
    let kills = std::env::var("KEFU_CLUSTER_KILLS").ok().and_then(|k| k.parse().ok()).unwrap_or(20);
    run(Cluster::start().await, kills, true).await;
}

/// Two servers over a primary with one replica, watched by three Sentinels. What is acknowledged is on both.
struct Watched {
    company: Arc<Company>,
    servers: [Process; 2],
    redis: [RedisServer; 2],
    primary: usize,
    sentinels: Sentinels,
    storage: String,
    _second: tempfile::TempDir,
}

impl Watched {
    async fn start() -> Self {
        let primary = RedisServer::start(&[]).await;
        let replica = primary.replica(&[]).await;
        let sentinels = Sentinels::start(&primary).await;
        let mut config = config_for(&primary);
        (config.storage.url, config.storage.ack_replicas) = (sentinels.url().to_string(), 1);
        let company = Company::found_in_database(&config, PEOPLE).await;
        let second = joined(company.path());
        let storage = format!("[storage]\nurl = \"{}\"\nack_replicas = 1\n", sentinels.url());
        let dirs = [company.path(), second.path()];
        let servers = dirs.map(|dir| Process::start_with(dir, &storage));
        Self { company, servers, redis: [primary, replica], primary: 0, sentinels, storage, _second: second }
    }

    /// The Sentinels have made the other one the primary.
    async fn failed_over(&self) {
        let wanted = self.redis[1 - self.primary].address().to_string();
        until("another primary", async || {
            let sentinel = self.sentinels.connect(0).await;
            let question = cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(MASTER).take();
            let (host, port): (String, u16) = sentinel.query(&question).await.ok()?;
            (format!("{host}:{port}") == wanted).then_some(())
        })
        .await;
    }
}

impl Victim for Watched {
    type Needed = ([RedisServer; 2], Sentinels, Process);

    fn company(&self) -> &Arc<Company> {
        &self.company
    }

    fn addr(&self, client: usize) -> SocketAddr {
        self.servers[client % 2].addr
    }

    async fn blow(&mut self, _: &[Proxy], _: &mut Dice) {
        self.redis[self.primary].kill();
        self.failed_over().await;
        self.redis[self.primary].restart().await;
        self.primary = 1 - self.primary;
    }

    async fn last(mut self) -> (Process, Self::Needed) {
        self.servers[0].kill();
        let server = Process::start_with(self.company.path(), &self.storage);
        let [_, other] = self.servers;
        (server, (self.redis, self.sentinels, other))
    }

    fn verify(_: &Company) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_dies_is_replaced_by_its_replica_and_nothing_is_lost() {
    let failovers = std::env::var("KEFU_FAILOVERS").ok().and_then(|k| k.parse().ok()).unwrap_or(1);
    run(Watched::start().await, failovers, false).await;
}
