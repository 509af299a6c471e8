//! The state that agents choose: nobody is online before they choose to be, and the last choice is kept.

use kefu::{
    crypto::directory::Role,
    proto::{AgentState, Presence, StatusWhy},
    store::{
        self, Batch, Op, Store, Table,
        redb::{Options, RedbStore},
    },
};

use super::*;
use crate::support::child::Process;

fn kept(peer: &Peer) -> Option<&str> {
    peer.config["status"].as_str()
}

fn presence(f: &ServerFrame) -> Option<Presence> {
    if let ServerFrame::Presence { state, .. } = f { Some(*state) } else { None }
}

fn status(f: &ServerFrame) -> Option<(AgentState, Option<StatusWhy>)> {
    if let ServerFrame::Status { state, why } = f { Some((*state, *why)) } else { None }
}

fn offer(f: &ServerFrame) -> Option<ConvId> {
    if let ServerFrame::Offer { conv, .. } = f { Some(*conv) } else { None }
}

#[tokio::test]
async fn nobody_is_online_before_they_said_so() {
    let server = Server::new().await;
    let mut visitor = Peer::visitor(&server).await;
    let conv = visitor.open().await;
    for user in ["li", "chen", "boss"] {
        let mut agent = Peer::connect(&server, &Me::agent(&server.company, user)).await;
        assert_eq!(kept(&agent), Some("offline"), "{user}");
        let listed = |f: &ServerFrame| match f {
            ServerFrame::Agents { list } => list.iter().find(|a| a.user.as_str() == user).map(|a| a.state),
            _ => None,
        };
        assert_eq!(agent.frame(listed).await, AgentState::Offline, "{user}");
        // an online agent would have been offered the waiting conversation before the answer to this
        agent.ask(|req| ClientFrame::Status { req, state: AgentState::Offline }).await.unwrap();
        assert!(agent.log.iter().all(|f| offer(f).is_none()), "{user}");
        let stats = server.company.stats().await;
        let agents = stats["desk"]["agents"].as_array().unwrap();
        assert!(agents.iter().all(|a| a["state"] == "offline"), "{agents:?}");
    }
    let mut li = Peer::agent(&server, "li").await;
    li.accept(conv).await;
}

#[tokio::test]
async fn the_last_choice_is_kept_over_sign_ins_and_kill_minus_nine() {
    let company = Company::found().await;
    let mut server = Process::start(company.path());
    let join = async |server: &Process, user| {
        Peer::try_connect(&company, server.addr, &Me::agent(&company, user)).await.unwrap()
    };
    let chosen = [("li", AgentState::Busy), ("wu", AgentState::Online), ("chen", AgentState::Offline)];
    for (user, state) in chosen {
        let mut agent = join(&server, user).await;
        // the state before is another one, so that what is kept is the last choice and no first one
        agent.status(if state == AgentState::Busy { AgentState::Online } else { AgentState::Busy }).await;
        agent.status(state).await;
    }
    for killed in [false, true] {
        if killed {
            server.kill();
            server = Process::start(company.path());
        }
        for (user, state) in chosen {
            let agent = join(&server, user).await;
            assert_eq!(kept(&agent), Some(format!("{state:?}").to_lowercase().as_str()), "{user}, killed: {killed}");
        }
    }
    // it is no mere word: who is busy is offered nothing, who is online is
    let mut li = join(&server, "li").await;
    let mut wu = join(&server, "wu").await;
    let mut visitor = Peer::try_connect(&company, server.addr, &Me::visitor("s1")).await.unwrap();
    let conv = visitor.open().await;
    wu.accept(conv).await;
    li.status(AgentState::Busy).await;
    assert!(li.log.iter().all(|f| offer(f).is_none()));
}

#[tokio::test]
async fn all_pages_of_a_person_say_the_same() {
    let server = Server::new().await;
    let mut first = Peer::agent(&server, "li").await;
    let mut second = Peer::connect(&server, &first.me).await;
    assert_eq!(kept(&second), Some("online"));
    first.status(AgentState::Busy).await;
    assert_eq!(second.frame(status).await, (AgentState::Busy, None));
    second.status(AgentState::Online).await;
    while first.frame(status).await != (AgentState::Online, None) {}
    // closing one of them, or all, chooses nothing
    drop(first);
    drop(second);
    assert_eq!(kept(&Peer::connect(&server, &Me::agent(&server.company, "li")).await), Some("online"));
}

#[tokio::test]
async fn two_missed_offers_make_busy_and_say_why_and_it_is_kept() {
    let company = Company::found().await;
    let mut config = config();
    (config.desk.offer_seconds, config.desk.auto_accept) = (1, false);
    let server = Server::start(&company, config).await;
    let mut li = Peer::agent(&server, "li").await;
    let mut page = Peer::connect(&server, &li.me).await;
    let mut visitors = Vec::new();
    for _ in 0..2 {
        let mut visitor = Peer::visitor(&server).await;
        visitor.open().await;
        visitors.push(visitor);
    }
    for page in [&mut li, &mut page] {
        while page.frame(status).await != (AgentState::Busy, Some(StatusWhy::Missed)) {}
    }
    let again = Peer::connect(&server, &li.me).await;
    assert_eq!(kept(&again), Some("busy"));
    assert!(again.log.iter().all(|f| offer(f).is_none()));
}

#[tokio::test]
async fn who_is_in_no_team_may_be_online_and_helps_nobody() {
    let company = Company::found_with(&[("li", Role::Agent, &["svc"]), ("boss", Role::Admin, &[])]).await;
    let server = Server::start(&company, config()).await;
    let mut boss = Peer::agent(&server, "boss").await;
    assert_eq!(boss.frame(status).await, (AgentState::Online, None));
    let mut visitor = Peer::visitor(&server).await;
    assert_eq!(visitor.frame(presence).await, Presence::Away);
    let conv = visitor.open().await;
    let stats = server.company.stats().await;
    let agent = &stats["desk"]["agents"][0];
    assert_eq!((&agent["user"], &agent["state"]), (&"boss".into(), &"online".into()));
    assert_eq!(agent["teams"], serde_json::json!([]));
    boss.status(AgentState::Online).await;
    assert!(boss.log.iter().all(|f| offer(f).is_none()));
    Peer::agent(&server, "li").await.accept(conv).await;
}

#[tokio::test]
async fn what_somebody_chose_ends_with_their_account() {
    let company = Company::found().await;
    let server = Server::start(&company, config()).await;
    let mut li = Peer::agent(&server, "li").await;
    drop(Peer::agent(&server, "wu").await);
    company.disable("wu").await;
    li.frame(|f| matches!(f, ServerFrame::Directory { .. }).then_some(())).await;
    li.status(AgentState::Busy).await;
    server.stopped().await;
    assert_eq!(rows(&company, &[]).await, [["li", "\"busy\""]]);
    // stored states of others at the start: a switched-off user, an unknown user, a state of a newer kefu
    let found = [("chen", "\"away\""), ("nobody", "\"online\""), ("wu", "\"online\"")];
    assert_eq!(rows(&company, &found).await.len(), 4);
    let server = Server::start(&company, config()).await;
    let mut li = Peer::connect(&server, &li.me).await;
    assert_eq!(kept(&li), Some("busy"));
    assert_eq!(kept(&Peer::connect(&server, &Me::agent(&company, "chen")).await), Some("offline"));
    li.status(AgentState::Online).await;
    server.stopped().await;
    assert_eq!(rows(&company, &[]).await, [["chen", "\"away\""], ["li", "\"online\""]]);
}

/// What the database of a stopped server keeps, after these were put there.
async fn rows(company: &Company, put: &[(&str, &str)]) -> Vec<[String; 2]> {
    let (store, _feed) = RedbStore::open(&company.path().join("kefu.redb"), Options::default()).unwrap();
    let put = put.iter().map(|(user, state)| Op::Put {
        table: Table::Status,
        key: user.as_bytes().to_vec(),
        value: state.as_bytes().to_vec(),
    });
    store::write(&*store, Batch { ops: put.collect(), ..Batch::default() }).await.unwrap();
    let found = store.scan(Table::Status, &[], None, false, 10).unwrap();
    store.close().await;
    found.into_iter().map(|(key, value)| [key, value].map(|b| String::from_utf8(b).unwrap())).collect()
}
