//! A company moves while its visitors and agents write: nothing acknowledged is lost or doubled, there and back again. Whoever dies on
//! the way, the command or a server, in whatever phase: the old place goes on, and the move begins anew.
//! `KEFU_MOVES` sets how often the company moves (4), `KEFU_SEED` repeats a run.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use kefu::{
    data_dir::CONFIG,
    proto::{ConvId, ServerFrame},
};
use kefu_redis_link::testing::{RedisServer, until};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::mpsc;

use super::{
    config_for, joined,
    moves::{done, held, refused, serve, set_up, talk},
    number,
};
use crate::{
    crash::{PEOPLE, Victim, run},
    support::{
        child::Process,
        company::Company,
        dice::Dice,
        peer::{Heard, Me, Peer},
        proxy::Proxy,
    },
};

/// `kefu move`, and what it says while it works.
struct Moving {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
}

impl Moving {
    fn begin(data: &Path, to: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
        command.args(["move", "--to", to, "--data-dir"]).arg(data).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (said, lines) = mpsc::unbounded_channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || out.lines().map_while(Result::ok).all(|line| said.send(line).is_ok()));
        Self { child, lines }
    }

    /// Waits until it says something like this; whether it did before it ended.
    async fn says(&mut self, what: &str) -> bool {
        while let Some(line) = self.lines.recv().await {
            if line.contains(what) {
                return true;
            }
        }
        false
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id().cast_signed()).unwrap(), signal).unwrap();
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Begins as soon as nobody else moves the company, and waits until it says something like this.
    async fn up_to(data: &Path, to: &str, phase: &str) -> Self {
        until("a move that is let in", async || {
            let mut moving = Self::begin(data, to);
            if moving.says(phase).await {
                return Some(moving);
            }
            let (_, said) = moving.ended().await;
            assert!(may_pass(&said), "{phase}: {said}");
            None
        })
        .await
    }

    /// Its exit code, and what it complained of.
    async fn ended(mut self) -> (i32, String) {
        let waiting = tokio::task::spawn_blocking(move || {
            let mut said = String::new();
            self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            (self.child.wait().unwrap().code().unwrap(), said)
        });
        waiting.await.unwrap()
    }
}

/// Whether a command that said so may be run again: another one was killed just now, or Redis is slow on a busy machine.
fn may_pass(said: &str) -> bool {
    ["is being moved by another command", "no answer within"].iter().any(|why| said.contains(why))
}

/// Waits until a server has ended by itself.
async fn gone(server: Process) {
    let server = Mutex::new(server);
    until("the server ends", async || (!server.lock().unwrap().is_alive()).then_some(())).await;
}

/// A server with a file or a Redis, and where it goes next.
struct Wanderer {
    company: Arc<Company>,
    server: Option<Process>,
    redis: RedisServer,
    stopped_ms: Vec<u64>,
}

impl Wanderer {
    async fn start() -> Self {
        let (company, redis) = (Company::found_with(PEOPLE).await, RedisServer::start(&[]).await);
        set_up(company.path(), "url = \"redb:\"\n");
        let server = Some(serve(company.path()).await);
        Self { company, server, redis, stopped_ms: Vec::new() }
    }
}

impl Victim for Wanderer {
    type Needed = RedisServer;

    fn company(&self) -> &Arc<Company> {
        &self.company
    }

    fn addr(&self, _: usize) -> SocketAddr {
        self.server.as_ref().unwrap().addr
    }

    async fn blow(&mut self, proxies: &[Proxy], _: &mut Dice) {
        let (data, url) = (self.company.path(), self.redis.url().to_string());
        let now = fs::read_to_string(data.join(CONFIG)).unwrap();
        let to = if now.contains("redb:") { url.as_str() } else { "redb:" };
        let moved = done(data, &["move", "--to", to]).await;
        self.stopped_ms.push(moved["stopped_ms"].as_u64().unwrap());
        gone(self.server.take().unwrap()).await;
        let server = serve(data).await;
        proxies.iter().for_each(|proxy| proxy.retarget(server.addr));
        self.server = Some(server);
    }

    async fn last(mut self) -> (Process, RedisServer) {
        println!("stopped for {:?} ms", self.stopped_ms);
        self.server.take().unwrap().kill();
        (serve(self.company.path()).await, self.redis)
    }

    fn verify(company: &Company) {
        let mut verify = Command::new(env!("CARGO_BIN_EXE_kefu"));
        let checked = verify.arg("verify").arg("--data-dir").arg(company.path()).output().unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moved_there_and_back_while_people_write() {
    run(Wanderer::start().await, number("KEFU_MOVES", 4), true).await;
}

/// Two servers that go from one Redis to another.
struct Pair {
    company: Arc<Company>,
    dirs: [PathBuf; 2],
    servers: Option<[Process; 2]>,
    redis: [RedisServer; 2],
    _second: tempfile::TempDir,
}

impl Pair {
    async fn start() -> Self {
        let redis = [RedisServer::start(&[]).await, RedisServer::start(&[]).await];
        let company = Company::found_in_database(&config_for(&redis[0]), PEOPLE).await;
        let second = joined(company.path());
        let dirs = [company.path().to_owned(), second.path().to_owned()];
        for dir in &dirs {
            set_up(dir, &format!("url = \"{}\"\n", redis[0].url()));
        }
        let servers = Some([serve(&dirs[0]).await, serve(&dirs[1]).await]);
        Self { company, dirs, servers, redis, _second: second }
    }
}

impl Victim for Pair {
    type Needed = ([RedisServer; 2], Process);

    fn company(&self) -> &Arc<Company> {
        &self.company
    }

    fn addr(&self, client: usize) -> SocketAddr {
        self.servers.as_ref().unwrap()[client % 2].addr
    }

    async fn blow(&mut self, proxies: &[Proxy], _: &mut Dice) {
        let now = fs::read_to_string(self.dirs[0].join(CONFIG)).unwrap();
        let from = usize::from(!now.contains(&self.redis[0].url().to_string()));
        let to = self.redis[1 - from].url().to_string();
        // from either machine
        done(&self.dirs[from], &["move", "--to", &to]).await;
        for server in self.servers.take().unwrap() {
            gone(server).await;
        }
        // on the other machine its operator does it
        let old = refused(&self.dirs[1 - from], &["serve", "--plain-http", "--listen", "127.0.0.1:0"]).await;
        assert!(old.contains("this company was moved to redis://"), "{old}");
        set_up(&self.dirs[1 - from], &format!("url = \"{to}\"\n"));
        let servers = [serve(&self.dirs[0]).await, serve(&self.dirs[1]).await];
        proxies.iter().zip(0..).for_each(|(proxy, n)| proxy.retarget(servers[n % 2].addr));
        self.servers = Some(servers);
    }

    async fn last(mut self) -> (Process, Self::Needed) {
        let [mut one, two] = self.servers.take().unwrap();
        one.kill();
        (serve(&self.dirs[0]).await, (self.redis, two))
    }

    fn verify(_: &Company) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_go_to_another_redis_while_people_write() {
    run(Pair::start().await, number("KEFU_MOVES", 4) / 2, false).await;
}

/// The last thing that a move said before somebody died.
const PHASES: [&str; 4] =
    ["copied 1 conversations", "read the copy back", "copied what changed", "servers store nothing"];

/// A company in a file with a conversation, and a Redis.
struct Scene {
    company: Arc<Company>,
    redis: RedisServer,
    me: Me,
    conv: ConvId,
    /// What is stored of it.
    records: Vec<Bytes>,
}

impl Scene {
    async fn start() -> (Self, Process) {
        let (company, redis) = (Company::found().await, RedisServer::start(&[]).await);
        set_up(company.path(), "url = \"redb:\"\n");
        let server = serve(company.path()).await;
        let (me, conv) = talk(&company, &server, 5).await;
        let records = held(&company, &server, &me, conv).await.0;
        (Self { company, redis, me, conv, records }, server)
    }

    fn data(&self) -> &Path {
        self.company.path()
    }

    fn in_file(&self) -> bool {
        fs::read_to_string(self.data().join(CONFIG)).unwrap().contains("redb:")
    }

    /// Where it is not.
    fn other(&self) -> String {
        if self.in_file() { self.redis.url().to_string() } else { "redb:".to_owned() }
    }

    /// The visitor says something, as soon as that can be stored, and everything that was there is there. False: the server ended.
    async fn goes_on(&mut self, server: &mut Process) -> bool {
        let server = Mutex::new(server);
        let addr = server.lock().unwrap().addr;
        let stored = until("something can be stored", async || {
            if !server.lock().unwrap().is_alive() {
                return Some(false);
            }
            let mut visitor = Peer::try_connect(&self.company, addr, &self.me).await.ok()?;
            visitor.try_follow(self.conv).await.ok()?;
            let key = visitor.me.key.clone();
            let (msg, envelope) = visitor.view(self.conv).seal("are you there?", &key);
            visitor.wire.send_envelope(envelope).await.ok()?;
            let stored = |heard: &Heard| match heard {
                Heard::Record(..) | Heard::Again(..) => Some(true),
                Heard::Frame(ServerFrame::Error { msg: Some(refused), .. }) if *refused == msg => Some(false),
                Heard::Frame(_) => None,
            };
            visitor.hear(stored).await.ok()?.then_some(true)
        });
        if !stored.await {
            return false;
        }
        let mut visitor = Peer::try_connect(&self.company, addr, &self.me).await.expect("a welcome");
        visitor.follow(self.conv).await;
        let now = visitor.view(self.conv).records.clone();
        assert!(now.len() > self.records.len() && now.starts_with(&self.records));
        self.records = now;
        true
    }

    /// Moves, and serves there.
    async fn moves(&mut self, server: Process) -> Process {
        // where an earlier one had left the old place, it has nothing to say
        let (code, said) = until("a move that is let in", async || {
            let ended = Moving::begin(self.data(), &self.other()).ended().await;
            (!may_pass(&ended.1)).then_some(ended)
        })
        .await;
        assert_eq!(code, 0, "{said}");
        gone(server).await;
        let mut server = serve(self.data()).await;
        assert!(self.goes_on(&mut server).await);
        server
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_is_killed_in_any_phase_leaves_the_servers_as_they_were() {
    let (mut scene, mut server) = Scene::start().await;
    for phases in [&PHASES[..], &PHASES[3..]] {
        for phase in phases {
            Moving::up_to(scene.data(), &scene.other(), phase).await.kill();
            if !scene.goes_on(&mut server).await {
                // it died between the last word to the server and the end: run again, it does what is left; then back
                server = scene.moves(server).await;
                server = scene.moves(server).await;
            }
        }
        server = scene.moves(server).await;
        done(scene.data(), &["verify"]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_in_any_phase_is_started_again_where_it_was() {
    let (mut scene, mut server) = Scene::start().await;
    for phase in PHASES {
        let command = Moving::up_to(scene.data(), &scene.other(), phase).await;
        // so that it is not done before the server is dead
        command.signal(Signal::STOP);
        server.kill();
        command.signal(Signal::CONT);
        let (code, said) = command.ended().await;
        if code == 0 {
            // it was as good as done
            assert!(!scene.in_file());
            server = serve(scene.data()).await;
            assert!(scene.goes_on(&mut server).await);
            server = scene.moves(server).await;
            continue;
        }
        assert!(said.contains("the company is still where it was"), "{phase}: {said}");
        assert!(scene.in_file());
        server = serve(scene.data()).await;
        assert!(scene.goes_on(&mut server).await);
    }
    drop(scene.moves(server).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_moves_at_once_one_is_refused() {
    let (mut scene, mut server) = Scene::start().await;
    let other = RedisServer::start(&[]).await;
    for _ in 0..2 {
        let mut first = Moving::begin(scene.data(), &scene.other());
        assert!(first.says("copied 1 conversations").await);
        first.signal(Signal::STOP);
        let said = refused(scene.data(), &["move", "--to", &other.url().to_string()]).await;
        assert!(said.contains("is being moved by another command"), "{said}");
        first.signal(Signal::CONT);
        let (code, said) = first.ended().await;
        assert_eq!(code, 0, "{said}");
        gone(server).await;
        server = serve(scene.data()).await;
        assert!(scene.goes_on(&mut server).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_copy_is_no_database() {
    let (mut scene, mut server) = Scene::start().await;
    let mut command = Moving::begin(scene.data(), &scene.redis.url().to_string());
    assert!(command.says("copied 1 conversations").await);
    command.kill();
    let second = joined(scene.data());
    set_up(second.path(), &format!("url = \"{}\"\n", scene.redis.url()));
    let said = refused(second.path(), &["serve", "--plain-http", "--listen", "127.0.0.1:0"]).await;
    assert!(said.contains("that was not finished"), "{said}");
    assert!(scene.goes_on(&mut server).await);
}
