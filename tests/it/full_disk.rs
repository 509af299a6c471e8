//! The disk fills up and gets space again, repeatedly, while visitors and agents write: the server stays up, reports what it can
//! store, loses nothing that it acknowledged, and recovers by itself.
//!
//! `KEFU_DISK_CYCLES` sets how often (3). Needs a user who may mount; otherwise it says so and does nothing. Nothing here waits
//! for time: each step waits for a report of the server.

pub mod place;

use std::{fs, net::SocketAddr, process::Command, sync::Arc, time::Duration};

use kefu::{
    crypto::directory::Role,
    proto::{ErrorCode, ServerFrame, StorageState},
};
use tokio::{
    sync::{mpsc, watch::Sender},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    crash::{
        AGENTS, Stage, VISITORS, verify,
        writer::{Ledger, Writer},
    },
    support::{
        child::Process,
        company::Company,
        dice::Dice,
        http,
        peer::{Heard, Me, Peer},
        proxy::Proxy,
    },
};
use place::Place;

const MIB: u64 = 1 << 20;
/// A step that takes longer never ends.
const LIMIT: Duration = Duration::from_mins(1);

fn cycles() -> u64 {
    std::env::var("KEFU_DISK_CYCLES").ok().and_then(|n| n.parse().ok()).unwrap_or(3)
}

/// The server and those who write.
struct Scene {
    company: Arc<Company>,
    server: Process,
    /// Where it listens, for those who come back.
    address: Sender<SocketAddr>,
    stage: Arc<Stage>,
    proxies: Vec<Proxy>,
    writers: Vec<JoinHandle<Ledger>>,
}

/// The disk in `/metrics`.
#[derive(Debug, Clone, Copy)]
struct Disk {
    state: StorageState,
    reserve: u64,
}

impl Scene {
    async fn begin(place: &Place) -> Self {
        let people: [(&str, Role, &[&str]); 2] = AGENTS.map(|user| (user, Role::Supervisor, &["svc"][..]));
        let company = Company::found_in(place.path(), &people).await;
        let server = Process::start(company.path());
        let stage = Arc::new(Stage::default());
        Peer::all_online(&company, server.addr, &AGENTS).await;
        let address = Sender::new(server.addr);
        let mut scene = Self { company, server, address, stage, proxies: Vec::new(), writers: Vec::new() };
        let mut people: Vec<Me> = AGENTS.iter().map(|user| Me::agent(&scene.company, user)).collect();
        people.extend((0..VISITORS).map(|_| Me::visitor("s1")));
        let mut dice = Dice::seeded();
        for me in people {
            let proxy = Proxy::start(scene.server.addr).await;
            let writer = Writer::new(me, scene.company.clone(), proxy.addr, scene.stage.clone(), Dice(dice.next()));
            scene.writers.push(tokio::spawn(writer.run()));
            scene.proxies.push(proxy);
        }
        scene
    }

    /// So many more messages are acknowledged.
    async fn acknowledges(&mut self, more: u64) {
        let mut acked = self.stage.acked.subscribe();
        let target = *acked.borrow() + more;
        let come = timeout(LIMIT, acked.wait_for(|n| *n >= target)).await.map(drop);
        assert!(come.is_ok(), "nothing is acknowledged any more: {:?}\n{}", self.disk().await, self.log());
        assert!(!self.writers.iter().any(JoinHandle::is_finished), "a writer raised an alarm, see above");
    }

    async fn disk(&self) -> Disk {
        let token = fs::read_to_string(self.company.path().join("metrics.token")).unwrap();
        let page = http::get(self.server.addr, "/metrics", token.trim()).await.expect("the server answers");
        let text = String::from_utf8(page.body.to_vec()).unwrap();
        let number = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse::<u64>().unwrap()
        };
        let state = [StorageState::Ok, StorageState::Low, StorageState::Full];
        Disk { state: state[number("kefu_storage_state") as usize], reserve: number("kefu_disk_reserve_bytes") }
    }

    /// Waits until the server reports this state of its disk.
    async fn becomes(&mut self, state: StorageState) -> Disk {
        let asked = async {
            loop {
                let disk = self.disk().await;
                // until the first look nothing is known
                if disk.state == state && disk.reserve > 0 {
                    break disk;
                }
            }
        };
        match timeout(LIMIT, asked).await {
            Ok(disk) => {
                assert!(self.server.is_alive(), "the server ended\n{}", self.log());
                disk
            }
            Err(_) => panic!("it never became {state:?}: {:?}\n{}", self.disk().await, self.log()),
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.company.path().join("server.log")).unwrap_or_default()
    }

    fn addr(&self) -> SocketAddr {
        self.server.addr
    }

    /// While there is little space: no new conversation, no long message.
    async fn refuses_strangers(&self) {
        let mut visitor = Peer::try_connect(&self.company, self.addr(), &Me::visitor("s1")).await.unwrap();
        let (_, opening) = visitor.opening();
        let refused = visitor.ask(opening).await.unwrap_err();
        assert_eq!(refused.0, ErrorCode::Storage, "{}", refused.1);
        let mut agent = self.agent().await;
        let Some(conv) = agent.greeted.first().map(|c| c.id) else { return };
        agent.follow(conv).await;
        let key = agent.me.key.clone();
        let (_, long) = agent.view(conv).seal(&"x".repeat(5_000), &key);
        let refused = agent.post(long).await.unwrap_err();
        assert_eq!(refused.0, ErrorCode::Storage, "{}", refused.1);
    }

    async fn agent(&self) -> Peer {
        let me = Me::agent(&self.company, AGENTS[0]);
        let peer = Peer::try_connect(&self.company, self.addr(), &me).await.expect("sign-in goes on");
        assert_ne!(peer.storage, StorageState::Ok, "the console is told at once");
        peer
    }

    /// While there is no space: the commands of the operator.
    fn says_so(&self) {
        let kefu = |what: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
            let said = command.args(what).arg("--data-dir").arg(self.company.path()).output().unwrap();
            String::from_utf8_lossy(&said.stdout).into_owned()
        };
        let stats: serde_json::Value = serde_json::from_str(&kefu(&["--json", "stats"])).unwrap();
        assert_eq!(stats["storage"]["state"], "full");
        assert!(kefu(&["stats"]).contains("FULL: nothing is stored"));
        let doctor = kefu(&["doctor"]);
        assert!(doctor.contains("the server stores NOTHING"), "{doctor}");
    }

    /// What still works while nothing can be stored.
    async fn serves_readers(&self) {
        let mut peer = self.agent().await;
        for conv in peer.greeted.clone() {
            peer.follow(conv.id).await;
            assert!(!peer.history(conv.id).await.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fills_up_and_gets_room_again_under_load() {
    let cycles = cycles();
    let place = match Place::of(160 + 8 * cycles) {
        Ok(place) => place,
        Err(why) => return println!("SKIPPED: no file system can be mounted here ({why})"),
    };
    let mut scene = Scene::begin(&place).await;
    scene.acknowledges(50).await;
    let li = Me::agent(&scene.company, AGENTS[0]);
    let mut told = watch(&scene, li).await;
    let reserve = scene.becomes(StorageState::Ok).await.reserve;
    for n in 0..cycles {
        if n % 2 == 0 {
            place.fill_to(reserve - MIB);
            scene.becomes(StorageState::Low).await;
            // agents still answer
            scene.acknowledges(1).await;
            scene.refuses_strangers().await;
        }
        place.fill_to(0);
        scene.becomes(StorageState::Full).await;
        scene.serves_readers().await;
        scene.says_so();
        // the ballast was released, and another program uses that space, too
        place.fill_to(0);
        scene.serves_readers().await;
        if n == 1 {
            for _ in 0..3 {
                scene.server.kill();
                let dir = scene.company.path().to_owned();
                scene.server = tokio::task::spawn_blocking(move || Process::start(&dir)).await.unwrap();
                scene.becomes(StorageState::Full).await;
                scene.serves_readers().await;
            }
            scene.address.send_replace(scene.addr());
            scene.proxies.iter().for_each(|proxy| proxy.retarget(scene.addr()));
            scene.stage.starts.send_modify(|n| *n += 1);
        }
        hears(&mut told, StorageState::Full).await;
        place.clear();
        scene.becomes(StorageState::Ok).await;
        hears(&mut told, StorageState::Ok).await;
        scene.acknowledges(30).await;
    }
    scene.stage.ending.send_replace(true);
    let mut ledgers = Vec::new();
    for writer in std::mem::take(&mut scene.writers) {
        match timeout(LIMIT, writer).await {
            Ok(ledger) => ledgers.push(ledger.unwrap()),
            Err(_) => panic!("a writer never got its last acknowledgement: {:?}\n{}", scene.disk().await, scene.log()),
        }
    }
    assert!(scene.server.is_alive());
    let healed = scene.log().matches("the database is open again").count();
    let report = scene.stage.report(cycles, *scene.stage.acked.borrow());
    println!("{report}, {healed} times opened again, {} MiB free", place.free() / MIB);
    verify(&scene.company, &scene.server, ledgers).await;
}

/// What an agent's page is told of the disk, over one socket after the other.
async fn watch(scene: &Scene, me: Me) -> mpsc::UnboundedReceiver<StorageState> {
    let (hear, heard) = mpsc::unbounded_channel();
    let proxy = Proxy::start(scene.addr()).await;
    let (company, mut starts, addr) =
        (scene.company.clone(), scene.stage.starts.subscribe(), scene.address.subscribe());
    tokio::spawn(async move {
        loop {
            proxy.retarget(*addr.borrow());
            if let Ok(mut peer) = Peer::try_connect(&company, proxy.addr, &me).await {
                let _ = hear.send(peer.storage);
                while let Ok(got) = peer.wire.next_quiet().await {
                    if let Ok(Heard::Frame(ServerFrame::Storage { state })) = peer.take(got).await {
                        let _ = hear.send(state);
                    }
                    peer.log.clear();
                }
            }
            let _ = timeout(Duration::from_millis(20), starts.changed()).await;
        }
    });
    heard
}

async fn hears(told: &mut mpsc::UnboundedReceiver<StorageState>, state: StorageState) {
    let heard = async { while told.recv().await.expect("it goes on watching") != state {} };
    timeout(LIMIT, heard).await.unwrap_or_else(|_| panic!("agents were not told of {state:?}"));
}
