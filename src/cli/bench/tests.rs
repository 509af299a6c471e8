//! Clients against a server in this process.

use std::net::SocketAddr;

use tokio::{sync::oneshot, task::JoinHandle};

use super::{
    company::{Company, Member, Spec, found},
    held::Content,
    pair::{self, Tally},
    peer::{Incoming, PATIENCE, Peer, PeerError, Target, Who},
};
use crate::{
    app::{ServeOptions, serve},
    config::Config,
    crypto::{directory::Role, keyring::Keyring},
    proto::{ClientFrame, ErrorCode, Event, Owner},
};

struct Running {
    company: Company,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<anyhow::Result<()>>,
    _dir: tempfile::TempDir,
}

async fn run(spec: &Spec) -> Running {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.server.plain_http = true;
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    (config.limits.visitor_burst, config.limits.agent_messages_per_minute) = (1_000, 60_000);
    let company = found(dir.path(), &config, spec).await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let (ready, listening) = oneshot::channel();
    let options = ServeOptions { data_dir: dir.path().to_owned(), config, mind: None };
    let server = tokio::spawn(serve(options, async { drop(stopped.await) }, move |r| {
        ready.send(r.listen).unwrap();
    }));
    Running { company, address: listening.await.unwrap(), stop, server, _dir: dir }
}

impl Running {
    fn target(&self) -> Target {
        Target { address: self.address, directory: self.company.directory.clone(), origin: None }
    }

    async fn agent(&self, n: usize) -> Peer {
        let teams = self.company.teams.iter().map(|(_, key)| key.clone()).collect();
        Peer::connect(self.target(), Who::Agent(teams), self.company.users[n].keys.clone()).await.unwrap()
    }

    async fn visitor(&self) -> Peer {
        let who = Who::Visitor(self.company.sites[0].clone());
        Peer::connect(self.target(), who, Keyring::generate()).await.unwrap()
    }
}

fn text(incoming: &Incoming) -> Option<String> {
    match incoming {
        Incoming::Record(r) => match &r.content {
            Content::Message { text, .. } => Some(text.clone()),
            Content::Rejected(why) => panic!("rejected: {why}"),
            _ => None,
        },
        Incoming::Frame(_) => None,
    }
}

#[tokio::test]
async fn a_visitor_and_an_agent_read_each_other() {
    let running = run(&Spec::new(1, &["http://shop.example"])).await;
    let (mut agent, mut visitor) = (running.agent(0).await, running.visitor().await);
    let conv = visitor.open().await.unwrap();
    agent.request(|req| ClientFrame::Take { req, conv }).await.unwrap();
    agent.resume(&[conv]).await.unwrap();
    visitor.deliver(conv, "is anybody there?").await.unwrap();
    assert_eq!(agent.wait_for("the question", text).await.unwrap(), "is anybody there?");
    agent.deliver(conv, "yes").await.unwrap();
    assert_eq!(visitor.wait_for("his own", text).await.unwrap(), "is anybody there?");
    assert_eq!(visitor.wait_for("the answer", text).await.unwrap(), "yes");
    assert_eq!(visitor.held(conv).unwrap().owner, Owner::Agent("a1".parse().unwrap()));

    // the next epoch, while a message is on its way
    visitor.post(conv, "before").await.unwrap();
    agent.announce(conv, &"svc".parse().unwrap()).await.unwrap();
    let before = |i: &Incoming| text(i).filter(|t| t == "before");
    let (seen, own) = tokio::join!(agent.wait_for("the message", before), visitor.wait_for("its record", before));
    assert_eq!((seen.unwrap(), own.unwrap()), ("before".to_owned(), "before".to_owned()));
    visitor.reconnect().await.unwrap();
    agent.deliver(conv, "after").await.unwrap();
    assert_eq!(visitor.wait_for("text", |i| text(i).filter(|t| t == "after")).await.unwrap(), "after");
    assert_eq!(visitor.held(conv).unwrap().epoch, Some(1));
    assert_eq!(visitor.held(conv).unwrap().waiting(), 0);

    running.stop.send(()).unwrap();
    assert!(matches!(closed(&mut visitor).await, PeerError::Closed(Some(4000))));
    running.server.await.unwrap().unwrap();
}

async fn closed(peer: &mut Peer) -> PeerError {
    loop {
        if let Err(e) = peer.next().await {
            return e;
        }
    }
}

#[tokio::test]
async fn a_stranger_is_refused_and_says_so() {
    let running = run(&Spec::new(2, &["http://shop.example"])).await;
    let (mut visitor, mut other) = (running.visitor().await, running.visitor().await);
    let conv = visitor.open().await.unwrap();
    other.resume(&[conv]).await.unwrap();
    let refused = other.request(|req| ClientFrame::Close { req, conv }).await.unwrap_err();
    assert!(matches!(refused, PeerError::Refused { code: ErrorCode::NotFound, .. }), "{refused}");
    let strange = Peer::connect(running.target(), Who::Agent(Vec::new()), Keyring::generate()).await.unwrap_err();
    assert!(matches!(strange, PeerError::Closed(Some(4501))), "{strange}");
}

#[tokio::test]
async fn long_histories_come_by_pages_in_order() {
    let mut spec = Spec::new(1, &["http://shop.example"]);
    let (role, teams, password) = (Role::Supervisor, spec.teams.clone(), Some("correct horse battery".to_owned()));
    spec.members.push(Member { user: "boss".parse().unwrap(), role, teams, password });
    let running = run(&spec).await;
    let (mut boss, mut agent, mut visitor) = (running.agent(1).await, running.agent(0).await, running.visitor().await);
    let conv = visitor.open().await.unwrap();
    agent.request(|req| ClientFrame::Take { req, conv }).await.unwrap();
    agent.resume(&[conv]).await.unwrap();
    for n in 0..220 {
        agent.deliver(conv, &n.to_string()).await.unwrap();
    }
    boss.resume(&[conv]).await.unwrap();
    let behind = |i: &Incoming| matches!(i, Incoming::Frame(crate::proto::ServerFrame::Behind { .. })).then_some(());
    boss.wait_for("behind", behind).await.unwrap();
    let records = boss.page(conv).await.unwrap();
    assert_eq!(records.iter().map(|r| r.seq).collect::<Vec<_>>(), (1..=records.len() as u64).collect::<Vec<_>>());
    assert!(matches!(records[0].content, Content::Event(Event::Open { .. })));
    let texts: Vec<_> = records.into_iter().filter_map(|r| text(&Incoming::Record(r))).collect();
    assert_eq!(texts, (0..220).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn pairs_lose_and_double_nothing() {
    let running = run(&Spec::new(2, &["http://bench.example"])).await;
    let all = async {
        let tally = Tally::new(true).unwrap();
        let who = Who::Agent(running.company.teams.iter().map(|(_, key)| key.clone()).collect());
        let mut pairs = Vec::new();
        for user in &running.company.users {
            let site = &running.company.sites[0];
            let (pair, [visitor, agent]) = pair::open(&running.target(), site, (&who, user), &tally).await.unwrap();
            tokio::task::spawn_local(pair.clone().listen(0, visitor));
            tokio::task::spawn_local(pair.clone().listen(1, agent));
            pairs.push(pair);
        }
        tally.doubled.set(0);
        tally.running.set(true);
        tally.measuring.set(true);
        for (pair, party) in pairs.iter().flat_map(|p| [(p, 0), (p, 1)]) {
            pair.prepare(party, 3, "hello").unwrap();
            pair.due(party, tally.now());
        }
        while tally.messages.get() < 60 && tally.trouble.borrow().is_empty() {
            tokio::task::yield_now().await;
        }
        tally.running.set(false);
        while pairs.iter().any(|p| p.open_ends(0) + p.open_ends(1) > 0) {
            tokio::task::yield_now().await;
        }
        // more envelopes than were sealed beforehand
        assert_eq!(*tally.trouble.borrow(), [] as [String; 0]);
        assert_eq!((tally.lost.get(), tally.doubled.get()), (0, 0));
        assert!(tally.sealed_late.get() > 0 && tally.delivery.borrow().len() >= 60);
    };
    tokio::task::LocalSet::new().run_until(tokio::time::timeout(PATIENCE, all)).await.unwrap();
}
