//! Killed again and again: clients write through a bad network while the server gets SIGKILL after SIGKILL. What was
//! acknowledged must be there once, in order, on both sides; what was never sent must not; every client must hold exactly
//! what the store holds.
//!
//! `KEFU_KILLS` sets how often (100), `KEFU_SEED` repeats a run. Nothing here waits for time: a kill comes when
//! enough messages were acknowledged since the last one.

pub mod writer;

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use kefu::{
    crypto::directory::Role,
    proto::{ConvId, Kid},
};
use kefu_redis_link::testing::until;
use tokio::{sync::watch, task::JoinHandle, time::timeout};

use crate::support::{
    child::Process,
    company::Company,
    dice::Dice,
    history::{Entry, History, Outcome, Read},
    http,
    peer::{Me, Peer},
    proxy::Proxy,
};
use writer::{Ledger, Writer};

/// How many visitors write.
pub const VISITORS: usize = 6;
/// The agents who do.
pub const AGENTS: [&str; 2] = ["li", "wu"];

/// Shared by the writers and the killer.
#[derive(Default)]
pub struct Stage {
    /// Messages acknowledged so far, by anyone.
    pub acked: watch::Sender<u64>,
    /// Whose messages were acknowledged, and whether it is an agent.
    pub spoke: Mutex<HashMap<Kid, bool>>,
    /// Raised when the server is up again.
    pub starts: watch::Sender<u64>,
    /// No new messages; get what is pending acknowledged and end.
    pub ending: watch::Sender<bool>,
    /// Writers that have nothing pending any more, at the end.
    pub done: Mutex<HashSet<Kid>>,
    /// What each writer that is not done waits for, at the end.
    pub waiting: Mutex<HashMap<Kid, String>>,
    /// Sockets opened, for the summary.
    pub connects: AtomicU64,
}

impl Stage {
    /// This writer has sent its last message.
    pub fn pending_done(&self, who: Kid) {
        self.done.lock().unwrap().insert(who);
        self.waiting.lock().unwrap().remove(&who);
    }

    /// A message of this writer was acknowledged.
    pub fn acknowledged(&self, who: Kid, agent: bool) {
        self.spoke.lock().unwrap().insert(who, agent);
        self.acked.send_modify(|n| *n += 1);
    }

    /// Whether every visitor and an agent have written: before that, agents may see nothing of a conversation.
    fn have_both_sides_spoken(&self) -> bool {
        let spoke = self.spoke.lock().unwrap();
        let agents = spoke.values().filter(|agent| **agent).count();
        agents > 0 && spoke.len() - agents == VISITORS
    }

    /// Whether all writers are done.
    pub fn all_done(&self) -> bool {
        self.done.lock().unwrap().len() == VISITORS + AGENTS.len()
    }

    pub fn report(&self, blows: u64, acked: u64) -> String {
        format!("{blows} blows, {acked} acknowledgements, {} connections", self.connects.load(Ordering::Relaxed))
    }
}

fn kills() -> u64 {
    std::env::var("KEFU_KILLS").ok().and_then(|k| k.parse().ok()).unwrap_or(100)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_behind_a_bad_network() {
    run(One::start().await, kills(), true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_on_a_good_network() {
    run(One::start().await, kills() / 2, false).await;
}

/// What is killed.
pub trait Victim: Sized {
    /// What must outlive the last server.
    type Needed;

    /// The company.
    fn company(&self) -> &Arc<Company>;

    /// Where clients are sent, by their number.
    fn addr(&self, client: usize) -> SocketAddr;

    /// Kills something and starts it again. Clients are sent to where they can go meanwhile.
    fn blow(&mut self, proxies: &[Proxy], dice: &mut Dice) -> impl Future<Output = ()>;

    /// A server after the last kill of everything, and what it needs.
    fn last(self) -> impl Future<Output = (Process, Self::Needed)>;

    /// Looks at the database without a server.
    fn verify(company: &Company);
}

/// One server with a file.
struct One {
    company: Arc<Company>,
    server: Process,
}

/// People who have keys and the rights to take conversations.
pub const PEOPLE: &[(&str, Role, &[&str])] = &[("li", Role::Supervisor, &["svc"]), ("wu", Role::Supervisor, &["svc"])];

impl One {
    async fn start() -> Self {
        let company = Company::found_with(PEOPLE).await;
        let server = Process::start(company.path());
        Self { company, server }
    }
}

impl Victim for One {
    type Needed = ();

    fn company(&self) -> &Arc<Company> {
        &self.company
    }

    fn addr(&self, _: usize) -> SocketAddr {
        self.server.addr
    }

    async fn blow(&mut self, proxies: &[Proxy], _: &mut Dice) {
        let dir = self.company.path().to_owned();
        self.server.kill();
        self.server = tokio::task::spawn_blocking(move || Process::start(&dir)).await.unwrap();
        proxies.iter().for_each(|p| p.retarget(self.server.addr));
    }

    async fn last(mut self) -> (Process, ()) {
        self.server.kill();
        (Process::start(self.company.path()), ())
    }

    fn verify(company: &Company) {
        let mut verify = Command::new(env!("CARGO_BIN_EXE_kefu"));
        let checked = verify.arg("verify").arg("--data-dir").arg(company.path()).output().unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    }
}

/// Clients write while `victim` gets so many blows.
pub async fn run<V: Victim>(mut victim: V, blows: u64, faults: bool) {
    let mut dice = Dice::seeded();
    let started = Instant::now();
    let company = victim.company().clone();
    let stage = Arc::new(Stage::default());
    Peer::all_online(&company, victim.addr(0), &AGENTS).await;

    let mut people: Vec<Me> = AGENTS.iter().map(|user| Me::agent(&company, user)).collect();
    people.extend((0..VISITORS).map(|_| Me::visitor("s1")));
    let (mut proxies, mut writers): (Vec<Proxy>, Vec<JoinHandle<Ledger>>) = (Vec::new(), Vec::new());
    for (n, me) in people.into_iter().enumerate() {
        let proxy = Proxy::start(victim.addr(n)).await;
        let writer = Writer::new(me, company.clone(), proxy.addr, stage.clone(), Dice(dice.next()));
        writers.push(tokio::spawn(writer.run()));
        proxies.push(proxy);
    }

    let mut acked = stage.acked.subscribe();
    let mut seen = 0;
    // from the end of each blow to the first acknowledgement
    let (mut silences, mut healed): (Vec<Duration>, Option<Instant>) = (Vec::new(), None);
    for n in 0..=blows {
        let up = Instant::now();
        // sometimes before it has really begun
        let soon = n < blows && dice.roll(5) == 0;
        let target = seen + 1 + if soon { 0 } else { 10 + dice.roll(80) as u64 };
        while seen < target {
            if faults {
                disturb(&proxies, &mut dice);
            }
            // with everything cut or stalled nothing would ever come
            if timeout(Duration::from_secs(3), acked.changed()).await.is_err() {
                proxies.iter().for_each(Proxy::resume);
            }
            assert!(up.elapsed() < Duration::from_mins(1), "stuck: {}", stage.report(n, seen));
            assert!(!writers.iter().any(JoinHandle::is_finished), "a writer raised an alarm, see above");
            let before = std::mem::replace(&mut seen, *acked.borrow_and_update());
            if seen > before {
                silences.extend(healed.take().map(|healed| healed.elapsed()));
            }
        }
        if n == blows {
            break;
        }
        victim.blow(&proxies, &mut dice).await;
        stage.starts.send_modify(|n| *n += 1);
        seen = *acked.borrow_and_update();
        healed = Some(Instant::now());
    }
    proxies.iter().for_each(|p| {
        p.resume();
        p.thaw();
    });
    let spoken = acked.wait_for(|_| stage.have_both_sides_spoken());
    timeout(Duration::from_mins(1), spoken).await.expect("after a minute somebody has not written yet").unwrap();
    stage.ending.send_replace(true);
    let mut ledgers = Vec::new();
    for writer in writers {
        let ended = timeout(Duration::from_mins(1), writer).await;
        let late = || panic!("not all got their last acknowledgement: {:#?}", stage.waiting.lock().unwrap());
        ledgers.push(ended.unwrap_or_else(|_| late()).unwrap());
    }
    silences.sort_unstable();
    let silences = (silences.get(silences.len() / 2), silences.last());
    println!("{} in {:?}, until the next acknowledgement {silences:?}", stage.report(blows, seen), started.elapsed());
    // the last kill: whatever requests were still under way are over, and all of it must be on disk
    let (mut server, _needed) = victim.last().await;
    verify(&company, &server, ledgers).await;
    server.kill();
    V::verify(&company);
    println!("verified after {:?}", started.elapsed());
}

/// Now and then a connection is cut, goes silent, is left half-open, or comes back with everything that was held back.
fn disturb(proxies: &[Proxy], dice: &mut Dice) {
    let proxy = &proxies[dice.roll(proxies.len())];
    match dice.roll(100) {
        0..4 => proxy.cut(),
        4..8 => proxy.stall(),
        8..10 => proxy.freeze(),
        10..25 => proxy.resume(),
        25 => proxy.thaw(),
        _ => {}
    }
}

/// Holds the store against what the writers know.
pub async fn verify(company: &Arc<Company>, server: &Process, mut ledgers: Vec<Ledger>) {
    let agents = AGENTS.map(|user| (company.keyring(user).signing.kid(), user.parse().unwrap()));
    let mut history = History::of(agents);
    // a Redis that was just replaced may still be away for a moment
    let agent = Me::agent(company, AGENTS[0]);
    let li = until("an agent is let in", async || Peer::try_connect(company, server.addr, &agent).await.ok()).await;
    for ledger in &mut ledgers {
        let letting_in = async || Peer::try_connect(company, server.addr, &ledger.me).await.ok();
        let mut peer = until("a writer is let in", letting_in).await;
        assert!(ledger.me.user.is_some() || peer.greeted.len() == 1, "one opening is one conversation");
        peer.views = std::mem::take(&mut ledger.views);
        let convs: Vec<ConvId> = peer.views.keys().copied().collect();
        for conv in convs {
            // the desk may still take something from an agent who is gone
            loop {
                peer.follow(conv).await;
                let stored = until("the history", async || http::history(server.addr, &li.token, conv).await).await;
                let up_to_date = stored.len() <= peer.view(conv).records.len();
                history.logs.insert(conv, stored.iter().map(Entry::parse).collect());
                if up_to_date {
                    break;
                }
            }
            // nothing may be lost in these runs: to their readers the generation makes no difference
            let (by, generation) = (ledger.me.kid(), history.generation);
            let records = peer.view(conv).records.clone();
            history.read.extend((1..).zip(records).map(|(seq, frame)| Read { by, conv, generation, seq, frame }));
        }
        history.sent.append(&mut ledger.sent);
    }
    assert_eq!(history.logs.len(), VISITORS);
    if let Err(fault) = history.check() {
        panic!("{:?} is broken: {}", fault.rule, fault.what);
    }
    assert_eq!(history.count(|outcome| outcome == Outcome::Unknown), 0, "neither acknowledged nor refused");
    let wrote = |agent: bool| {
        let stored = history.sent.iter().filter(|sent| sent.outcome != Outcome::Fail);
        stored.filter(|sent| history.agents.contains_key(&sent.by) == agent).count()
    };
    assert!(wrote(false) > 0 && wrote(true) > 0, "both sides wrote: {} and {}", wrote(false), wrote(true));
}
