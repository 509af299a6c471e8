//! Two servers over a Redis that is slow, or has no space: the link is slow and loses packets, its disk holds up each write for two
//! seconds or is full, its memory is used up. Nothing acknowledged is lost, clients are told, and it goes on by itself.
//! `KEFU_SCARCITIES` sets how often (4), `KEFU_SEED` repeats a run. Needs root, to mount a small disk.

use std::{collections::BTreeMap, fs, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use kefu::proto::{ErrorCode, ServerFrame, StorageState};
use kefu_redis_link::{
    cmd,
    testing::{RedisServer, until},
};
use tokio::time::sleep;

use super::{config_for, joined, number};
use crate::{
    crash::{AGENTS, PEOPLE, Victim, run},
    full_disk::place::Place,
    support::{
        child::Process,
        company::Company,
        dice::Dice,
        peer::{Me, Peer},
        proxy::Proxy,
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    SlowLink,
    /// Redis stands still as it does while its disk does not finish an fsync.
    SlowDisk,
    /// Redis ends, as it must with `appendfsync always`; somebody makes space and starts it again.
    FullDisk,
    FullMemory,
    /// For longer than the patience of the store.
    Silence,
}

const KINDS: [Kind; 5] = [Kind::SlowLink, Kind::SlowDisk, Kind::FullDisk, Kind::FullMemory, Kind::Silence];

/// What a server says without its Redis: where somebody writes, and where nobody does.
const AWAY: [&str; 2] = ["nothing can be stored there", "Redis can't be reached"];

struct Scarce {
    company: Arc<Company>,
    dirs: [PathBuf; 2],
    servers: [Process; 2],
    /// Between each server and Redis.
    links: [Proxy; 2],
    redis: RedisServer,
    disk: Place,
    done: Vec<Kind>,
    _second: tempfile::TempDir,
}

/// What a server reaches through a link.
fn storage(link: &Proxy) -> String {
    format!("[storage]\nurl = \"redis://{}\"\n", link.addr)
}

impl Scarce {
    async fn start() -> Self {
        let disk = Place::of(64).expect("a small disk to fill: run these tests as root");
        let redis = RedisServer::start(&[("dir", disk.path().to_str().unwrap())]).await;
        let company = Company::found_in_database(&config_for(&redis), PEOPLE).await;
        let second = joined(company.path());
        let dirs = [company.path().to_owned(), second.path().to_owned()];
        let to = SocketAddr::from(([127, 0, 0, 1], redis.port()));
        let links = [Proxy::start(to).await, Proxy::start(to).await];
        let mut servers = Vec::new();
        for n in 0..2 {
            let (dir, storage) = (dirs[n].clone(), storage(&links[n]));
            // the link is run by this very runtime
            servers.push(tokio::task::spawn_blocking(move || Process::start_with(&dir, &storage)).await.unwrap());
        }
        let servers = servers.try_into().ok().expect("two of them");
        Self { company, dirs, servers, links, redis, disk, done: Vec::new(), _second: second }
    }

    /// An agent's page: what it says of the storage.
    async fn page(&self, server: usize) -> Option<Peer> {
        let me = Me::agent(&self.company, AGENTS[0]);
        Peer::try_connect(&self.company, self.servers[server].addr, &me).await.ok()
    }

    fn logs(&self) -> [String; 2] {
        [0, 1].map(|n| fs::read_to_string(self.dirs[n].join("server.log")).unwrap())
    }

    /// Both servers say in a sentence that nothing can be stored, after what they had said before.
    async fn say_so(&self, words: &[&str], before: [String; 2]) {
        until(&format!("logs with one of {words:?}"), async || {
            let mut logs = self.logs().into_iter().zip(&before);
            logs.all(|(log, before)| words.iter().any(|words| log[before.len()..].contains(words))).then_some(())
        })
        .await;
    }

    async fn memory(&self) -> u64 {
        let info: String = self.redis.query(cmd("INFO").arg("memory")).await;
        let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
        used.trim().parse().unwrap()
    }

    async fn set_memory(&self, bytes: u64) {
        let set = cmd("CONFIG").arg("SET").arg("maxmemory").arg(bytes).take();
        self.redis.query::<()>(&set).await;
    }

    async fn full_memory(&self) {
        let before = self.logs();
        self.set_memory(self.memory().await / 2).await;
        self.say_so(&["(maxmemory) is used up"], before).await;
        for server in 0..2 {
            let page = until("a page", async || self.page(server).await).await;
            assert_eq!(page.storage, StorageState::Full, "of server {server}");
        }
        // a visitor is told as well, and not left waiting
        let mut visitor = Peer::try_connect(&self.company, self.servers[0].addr, &Me::visitor("s1")).await.unwrap();
        let (_, opening) = visitor.opening();
        let refused = visitor.ask(opening).await.unwrap_err();
        assert_eq!(refused.0, ErrorCode::Storage, "{}", refused.1);
        let mut page = until("a page", async || self.page(1).await).await;
        // strangers write nothing more while there is only a little
        self.set_memory(self.memory().await + self.memory().await / 6).await;
        page.frame(|frame| matches!(frame, ServerFrame::Storage { state: StorageState::Low }).then_some(())).await;
        self.set_memory(1 << 30).await;
        page.frame(|frame| matches!(frame, ServerFrame::Storage { state: StorageState::Ok }).then_some(())).await;
    }

    async fn full_disk(&mut self) {
        let before = self.logs();
        self.disk.fill_to(0);
        let log = self.redis.directory().join("log");
        until("a Redis that ends", async || {
            let said = fs::read_to_string(&log).unwrap();
            (said.lines().last().is_some_and(|line| line.contains("Exiting"))).then_some(())
        })
        .await;
        self.say_so(&AWAY, before).await;
        // nothing can be read: a page that comes now is let in if all that it is greeted with is in memory, and told
        if let Some(page) = self.page(0).await {
            assert_eq!(page.storage, StorageState::Full);
        }
        self.disk.clear();
        self.redis.restart().await;
    }
}

impl Victim for Scarce {
    type Needed = (RedisServer, Place, Process, [Proxy; 2]);

    fn company(&self) -> &Arc<Company> {
        &self.company
    }

    fn addr(&self, client: usize) -> SocketAddr {
        self.servers[client % 2].addr
    }

    async fn blow(&mut self, _: &[Proxy], dice: &mut Dice) {
        let kind = KINDS[self.done.len() % KINDS.len()];
        match kind {
            Kind::SlowLink => {
                let slow = dice.roll(3);
                let links = self.links.iter().enumerate().filter(|(n, _)| slow == 2 || slow == *n);
                links.for_each(|(_, link)| link.slow(true));
                sleep(Duration::from_millis(3_000 + dice.roll(3_000) as u64)).await;
                self.links.iter().for_each(|link| link.slow(false));
            }
            Kind::SlowDisk => {
                for _ in 0..3 {
                    self.redis.stop();
                    sleep(Duration::from_millis(50 + dice.roll(1_950) as u64)).await;
                    self.redis.cont();
                    sleep(Duration::from_millis(dice.roll(300) as u64)).await;
                }
            }
            Kind::Silence => {
                let before = self.logs();
                self.redis.stop();
                self.say_so(&AWAY, before).await;
                self.redis.cont();
            }
            Kind::FullDisk => self.full_disk().await,
            Kind::FullMemory => self.full_memory().await,
        }
        self.done.push(kind);
    }

    async fn last(mut self) -> (Process, Self::Needed) {
        let counts = self.done.iter().fold(BTreeMap::<Kind, u64>::new(), |mut counts, kind| {
            *counts.entry(*kind).or_default() += 1;
            counts
        });
        println!("{counts:?}");
        self.servers[0].kill();
        let (dir, storage) = (self.dirs[0].clone(), storage(&self.links[0]));
        let server = tokio::task::spawn_blocking(move || Process::start_with(&dir, &storage)).await.unwrap();
        let [_, other] = self.servers;
        (server, (self.redis, self.disk, other, self.links))
    }

    fn verify(_: &Company) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_full_again_and_again() {
    run(Scarce::start().await, number("KEFU_SCARCITIES", 4), false).await;
}
