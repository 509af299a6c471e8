//! Two servers and their Redis killed again and again while clients write through them: nothing acknowledged is lost or doubled,
//! and what every client holds is what is stored. `KEFU_CLUSTER_KILLS` sets how often (20), `KEFU_SEED` repeats a run.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use kefu_redis_link::testing::RedisServer;

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
